//! The closed sets of values that a metric's label can have.
//!
//! Enums, so that nothing a user writes can become a time series of its own, and so that counting a request builds no
//! string. They are apart from the types that the rest of the program decides with: a rename there must not rename a
//! metric that somebody's alert is built on.

use std::fmt::Write;

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// An enum whose variants are written as the given words.
macro_rules! label {
    ($(#[$about:meta])* $name:ident { $($(#[$means:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$means])* $variant,)+
        }

        impl $name {
            /// The word that stands in the metric.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
                encoder.write_str(self.as_str())
            }
        }
    };
}

label! {
    /// Which of the two webhooks was asked (label `path`).
    Endpoint {
        /// `/mutate`
        Mutate = "mutate",
        /// `/validate`
        Validate = "validate",
    }
}

label! {
    /// The mode that was in force for the object (label `mode`).
    Mode {
        /// Recorded only.
        Audit = "audit",
        /// Admitted with warnings.
        Warn = "warn",
        /// Refused.
        Deny = "deny",
        /// Run as a TrainJob.
        Rewrite = "rewrite",
        /// No policy looked at it: not ours to judge, or it failed before.
        None = "none",
    }
}

label! {
    /// What the API server wanted to do (label `operation`).
    Operation {
        /// A new object.
        Create = "create",
        /// A changed object.
        Update = "update",
        /// A change through the scale subresource.
        Scale = "scale",
        /// A deletion.
        Delete = "delete",
        /// Anything else.
        Other = "other",
    }
}

label! {
    /// How much of the job the conversion keeps (label `verdict`).
    Verdict {
        /// Everything, as it was.
        Exact = "exact",
        /// Everything, some of it in other words.
        Adapted = "adapted",
        /// Some of it is lost.
        Lossy = "lossy",
        /// It can't be converted.
        Refused = "refused",
        /// Nothing was converted.
        None = "none",
    }
}

label! {
    /// What the API server was told (label `decision`).
    Decision {
        /// Admitted.
        Allow = "allow",
        /// Admitted with warnings.
        Warn = "warn",
        /// Refused.
        Deny = "deny",
        /// It could not be judged.
        Error = "error",
    }
}

label! {
    /// Why a request got no judgement (label `reason`).
    Unjudged {
        /// More requests than may be worked on at once, or more bytes than may wait.
        Overload = "overload",
        /// Not done within the deadline.
        Deadline = "deadline",
        /// The body is larger than any AdmissionReview.
        TooLarge = "too_large",
        /// The body broke off.
        BrokenBody = "broken_body",
        /// A bug: the handler panicked.
        Panic = "panic",
    }
}

label! {
    /// Why a TLS handshake did not succeed (label `reason`).
    HandshakeFailure {
        /// It took too long.
        Timeout = "timeout",
        /// The client sent an alert, as one does that doesn't trust the certificate.
        RefusedByClient = "refused_by_client",
        /// Not TLS, no common version or cipher, or the client went away.
        Other = "other",
    }
}

label! {
    /// What kept a request from being refused (label `excuse`).
    Excuse {
        /// An exemption of the policy.
        Exemption = "exemption",
        /// The right to pass a denial, and a reason.
        Bypass = "bypass",
        /// Nothing: it was refused.
        None = "none",
    }
}

label! {
    /// What became of an Event (label `result`).
    EventFate {
        /// The API server has it.
        Written = "written",
        /// The API server did not take it.
        Failed = "failed",
        /// There were too many at once.
        Dropped = "dropped",
    }
}

label! {
    /// What became of a policy's status (label `result`).
    StatusFate {
        /// The API server has it.
        Written = "written",
        /// Another replica was faster.
        Conflict = "conflict",
        /// The API server did not take it.
        Failed = "failed",
    }
}
