//! The webhook: `AdmissionReview` in, judgement out.
