//! Objects by what they are called: places in, the first place of a name out, however many there are.

use std::collections::{BTreeMap, VecDeque};

use super::objects::Place;

/// Places of a list that are still to be had, by kind and name, then by namespace, each with its index in the list.
pub(super) struct Names<'p> {
    places: Vec<&'p Place>,
    left: BTreeMap<(&'p str, &'p str), Namespaces<'p>>,
}

/// Indexes in order, by the namespace that the place says.
type Namespaces<'p> = BTreeMap<Option<&'p str>, VecDeque<usize>>;

impl<'p> Names<'p> {
    /// All of `places`.
    pub(super) fn of(places: impl Iterator<Item = &'p Place>) -> Self {
        let mut names = Self {
            places: places.collect(),
            left: BTreeMap::new(),
        };
        for (index, place) in names.places.iter().enumerate() {
            let namespaces = names.left.entry((place.kind, &place.name)).or_default();
            let indexes = namespaces.entry(place.namespace.as_deref()).or_default();
            indexes.push_back(index);
        }
        names
    }

    /// Index of the first place of this kind and name. A namespace counts where both say one.
    pub(super) fn first(&self, kind: &str, name: &str, namespace: Option<&str>) -> Option<usize> {
        let namespaces = self.left.get(&(kind, name))?;
        let first = |indexes: &VecDeque<usize>| indexes.front().copied();
        if namespace.is_none() {
            return namespaces.values().filter_map(first).min();
        }
        let candidates = [namespace, None].map(|namespace| namespaces.get(&namespace));
        candidates.into_iter().flatten().filter_map(first).min()
    }

    /// The same, which is then not to be had any more.
    pub(super) fn take(
        &mut self,
        kind: &str,
        name: &str,
        namespace: Option<&str>,
    ) -> Option<usize> {
        let index = self.first(kind, name, namespace)?;
        let place = self.places[index];
        let namespaces = self.left.get_mut(&(place.kind, &place.name))?;
        namespaces.get_mut(&place.namespace.as_deref())?.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::meta::{TRAINING_RUNTIME, TRAINJOB};

    fn place(kind: &'static str, namespace: Option<&str>) -> Place {
        Place {
            file: "jobs.yaml".to_owned(),
            kind,
            namespace: namespace.map(str::to_owned),
            name: "mnist".to_owned(),
        }
    }

    #[test]
    fn a_namespace_counts_where_both_say_one() {
        let places = [Some("a"), None, Some("b")].map(|namespace| place(TRAINJOB, namespace));
        let names = Names::of(places.iter());
        let first = |namespace| names.first(TRAINJOB, "mnist", namespace);
        assert_eq!(first(Some("a")), Some(0));
        assert_eq!(first(Some("b")), Some(1));
        assert_eq!(first(Some("c")), Some(1));
        assert_eq!(first(None), Some(0));
    }

    #[test]
    fn each_is_taken_once_and_the_first_one_first() {
        let places = [Some("a"), Some("b"), Some("a")].map(|namespace| place(TRAINJOB, namespace));
        let mut names = Names::of(places.iter());
        let mut take = |namespace| names.take(TRAINJOB, "mnist", namespace);
        assert_eq!(take(Some("a")), Some(0));
        assert_eq!(take(None), Some(1));
        assert_eq!(take(Some("b")), None);
        assert_eq!(take(Some("a")), Some(2));
        assert_eq!(take(None), None);
    }

    #[test]
    fn another_kind_or_name_is_another_object() {
        let places = [place(TRAINJOB, None)];
        let names = Names::of(places.iter());
        assert_eq!(names.first(TRAINING_RUNTIME, "mnist", None), None);
        assert_eq!(names.first(TRAINJOB, "mnist-2", None), None);
    }
}
