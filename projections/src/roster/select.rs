//! From what is asked to the users of a page.

use std::collections::BTreeSet;

use evident_domain::UserId;
use evident_eventstore::Dialect;

use super::bits::Bits;
use super::columns::Columns;
use super::ids::{self, Needle, Within};
use super::moments::Moments;
use super::order::Sorted;
use super::texts::{Edge, Place, Texts};
use crate::views::{Asked, Compared, Comparison, Direction, DirectoryQuery, UserField, end_of_beginning};

/// Those who stand together in an order.
struct Segment<'a> {
    slots: &'a [u32],
    /// Which of them it is.
    those: Bits,
}

impl Columns {
    /// The users of a page in order, and how many there are on all pages.
    pub(super) fn page(
        &self,
        query: &DirectoryQuery,
        asked: &[Asked],
        dialect: Dialect,
    ) -> (Vec<UserId>, u64) {
        let selected =
            asked.iter().fold(self.open(&query.aud), |those, asked| self.narrow(those, asked, query));
        let total = selected.count();
        let (field, direction) = query.sort.unwrap_or((UserField::CreatedAt, Direction::Ascending));
        let from = usize::try_from(query.offset).unwrap_or(usize::MAX).min(total);
        let to = from.saturating_add(usize::try_from(query.limit).unwrap_or(usize::MAX)).min(total);
        let segments = self.segments(field, query, dialect);
        let mut page = match direction {
            Direction::Ascending => pick(&segments, &selected, from, to),
            Direction::Descending => pick(&segments, &selected, total - to, total - from),
        };
        if direction == Direction::Descending {
            page.reverse();
        }
        (page.into_iter().filter_map(|slot| self.id(slot)).map(ids::id).collect(), total as u64)
    }

    /// Those of some for whom it holds.
    fn narrow(&self, those: Bits, asked: &Asked, query: &DirectoryQuery) -> Bits {
        match asked {
            Asked::Everybody(_) => those,
            Asked::Flag(field, wanted) => match self.flag(*field, query.now.timestamp_micros()) {
                Some(set) if *wanted => those.and(&set),
                Some(set) => those.but(&set),
                None => those,
            },
            Asked::Values(compared) if compared.negated => those.but(&self.matching(compared, query)),
            Asked::Values(compared) => those.and(&self.matching(compared, query)),
        }
    }

    /// For whom a comparison holds, before it is negated; buried slots may be among them.
    fn matching(&self, compared: &Compared, query: &DirectoryQuery) -> Bits {
        if let Some(moments) = self.moments(compared.field) {
            return of_moments(moments, compared);
        }
        let Some(texts) = self.texts(compared.field) else { return of_ids(self.ids(), compared) };
        let matching = of_texts(texts, compared);
        // Most have the default role, which stands nowhere.
        if compared.field == UserField::Role && compared.matches(&query.default_role) {
            return matching.or(&self.living().clone().but(texts.present()));
        }
        matching
    }

    /// All in their order, ascending; as each of the databases has it.
    fn segments(&self, field: UserField, query: &DirectoryQuery, dialect: Dialect) -> Vec<Segment<'_>> {
        let by_id = |those: Bits| Segment { slots: self.by_id(), those };
        let with_and_without = |slots, present: &Bits| {
            let without = by_id(self.living().clone().but(present));
            let with = Segment { slots, those: present.clone() };
            match dialect {
                Dialect::Sqlite => vec![without, with],
                Dialect::Postgres => vec![with, without],
            }
        };
        if let Some(moments) = self.moments(field) {
            return with_and_without(moments.order().slots(), moments.present());
        }
        if let Some(set) = self.flag(field, query.now.timestamp_micros()) {
            return vec![by_id(self.living().clone().but(&set)), by_id(set)];
        }
        match self.texts(field) {
            None => vec![by_id(self.living().clone())],
            Some(roles) if field == UserField::Role => {
                let default = query.default_role.as_str();
                let part = |slots| Segment { slots, those: Bits::with(self.ids().len(), slots) };
                let before = part(roles.stretch(None, Some((default, Edge::Before))));
                let behind = part(roles.stretch(Some((default, Edge::Behind)), None));
                let rest = self.living().clone().but(&before.those).but(&behind.those);
                vec![before, by_id(rest), behind]
            }
            Some(texts) => with_and_without(texts.order().slots(), texts.present()),
        }
    }
}

/// From one place to another among those that are selected.
fn pick(segments: &[Segment<'_>], selected: &Bits, mut from: usize, mut to: usize) -> Vec<u32> {
    let mut picked = Vec::new();
    for segment in segments {
        if from >= to {
            break;
        }
        let members = segment.those.clone().and(selected);
        let count = members.count();
        let end = to.min(count);
        if from < end {
            let is_one = |slot: &&u32| members.contains(**slot);
            if from <= count - end {
                picked.extend(segment.slots.iter().filter(is_one).skip(from).take(end - from));
            } else {
                // It is nearer from the end.
                let walked = segment.slots.iter().rev().filter(is_one).skip(count - end).take(end - from);
                let at = picked.len();
                picked.extend(walked);
                picked.get_mut(at..).unwrap_or_default().reverse();
            }
        }
        from = from.saturating_sub(count);
        to -= end;
    }
    picked
}

fn of_texts(texts: &Texts, compared: &Compared) -> Bits {
    let Some(first) = compared.texts().next() else { return Bits::none(texts.present().len()) };
    let stretch = |from, to| Bits::with(texts.present().len(), texts.stretch(from, to));
    let (before, behind) = (Some((first, Edge::Before)), Some((first, Edge::Behind)));
    match compared.comparison {
        Comparison::Less => stretch(None, before),
        Comparison::LessOrEqual => stretch(None, behind),
        Comparison::Greater => stretch(behind, None),
        Comparison::GreaterOrEqual => stretch(before, None),
        Comparison::StartsWith => {
            let end = end_of_beginning(first);
            stretch(before, Some((end.as_str(), Edge::Before)))
        }
        Comparison::Contains => texts.find(first, Place::Anywhere),
        Comparison::EndsWith => texts.find(first, Place::End),
        Comparison::Equal | Comparison::NotEqual => stretch(before, behind),
        Comparison::In | Comparison::NotIn => {
            let mut those = Bits::none(texts.present().len());
            for text in compared.texts() {
                those.insert_all(texts.stretch(Some((text, Edge::Before)), Some((text, Edge::Behind))));
            }
            those
        }
    }
}

fn of_moments(moments: &Moments, compared: &Compared) -> Bits {
    let Some(first) = compared.moments().next() else { return Bits::none(moments.present().len()) };
    match compared.comparison {
        Comparison::Less => moments.those(|moment| moment < first),
        Comparison::LessOrEqual => moments.those(|moment| moment <= first),
        Comparison::Greater => moments.those(|moment| moment > first),
        Comparison::GreaterOrEqual => moments.those(|moment| moment >= first),
        Comparison::Equal | Comparison::NotEqual => moments.those(|moment| moment == first),
        Comparison::In | Comparison::NotIn => {
            let values: BTreeSet<i64> = compared.moments().collect();
            moments.those(|moment| values.contains(&moment))
        }
        Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => {
            Bits::none(moments.present().len())
        }
    }
}

fn of_ids(numbers: &[u128], compared: &Compared) -> Bits {
    let Some(first) = compared.texts().next() else { return Bits::none(numbers.len()) };
    let from_where = |holds: &dyn Fn(&str) -> bool, wanted: bool| match ids::from_where(holds) {
        Some(range) => Bits::of(numbers, |number| range.contains(&number) == wanted),
        None => Bits::of(numbers, |_| !wanted),
    };
    let with = |within| match Needle::new(first, within) {
        Some(needle) => Bits::of(numbers, |number| needle.is_in(number)),
        None => Bits::none(numbers.len()),
    };
    match compared.comparison {
        Comparison::Less => from_where(&|text| text >= first, false),
        Comparison::LessOrEqual => from_where(&|text| text > first, false),
        Comparison::Greater => from_where(&|text| text > first, true),
        Comparison::GreaterOrEqual => from_where(&|text| text >= first, true),
        Comparison::StartsWith => with(Within::Start),
        Comparison::Contains => with(Within::Anywhere),
        Comparison::EndsWith => with(Within::End),
        Comparison::Equal | Comparison::NotEqual | Comparison::In | Comparison::NotIn => {
            let values: BTreeSet<u128> = compared.texts().filter_map(ids::read).collect();
            Bits::of(numbers, |number| values.contains(&number))
        }
    }
}
