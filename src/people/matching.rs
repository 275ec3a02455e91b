//! Whether what a source says is of somebody who is known: told by phone, name and the end of the identity
//! card, and left to a person where it is doubtful.
//!
//! | phone | name | end of the card | then |
//! |---|---|---|---|
//! | same | same | not another one | the same person |
//! | same | same | another one | doubtful |
//! | same | another one, or not said | | doubtful: a family shares a phone |
//! | not said by one | same | same | the same person |
//! | not said by one | same | not said by one | doubtful |
//! | another one | same | same | doubtful: a new phone |
//! | another one | same | not said by one | somebody else: many people are called 王芳 |
//! | | same | another one | somebody else |
//! | | another one | | somebody else |

use super::field::{Field, Said, name_key};
use super::person::Person;
use crate::text::Note;

/// How alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The same person.
    Same,
    /// A person is to decide.
    Doubtful,
    /// Somebody else.
    Other,
}

/// Whether two have the same in a field; `None` where one of them has nothing there.
fn agree(
    said: &Said,
    person: &Person,
    field: Field,
    same: impl Fn(&Note, &Note) -> bool,
) -> Option<bool> {
    let new = said.get(field)?;
    let mut known = person
        .records
        .iter()
        .filter_map(|record| record.said.get(field))
        .peekable();
    known.peek()?;
    Some(known.any(|known| same(known, new)))
}

/// How alike what was said is to what is known of a person.
#[must_use]
pub fn likeness(said: &Said, person: &Person) -> Likeness {
    let phone = agree(said, person, Field::Phone, PartialEq::eq);
    let name = agree(said, person, Field::Name, |one, other| {
        name_key(one) == name_key(other)
    });
    let card = agree(said, person, Field::IdTail, |one, other| {
        one.as_str().ends_with(other.as_str()) || other.as_str().ends_with(one.as_str())
    });
    match (phone, name, card) {
        (Some(true), Some(true), Some(false)) => Likeness::Doubtful,
        (Some(true), Some(true), _) | (None, Some(true), Some(true)) => Likeness::Same,
        (Some(true), _, _) | (None, Some(true), None) | (Some(false), Some(true), Some(true)) => {
            Likeness::Doubtful
        }
        _ => Likeness::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::super::rules::tests::parts;
    use super::super::source::{Record, Source};
    use super::*;
    use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
    use std::time::Duration;

    fn said(phone: &str, name: &str, card: &str) -> Said {
        let fields = [
            (Field::Phone, phone),
            (Field::Name, name),
            (Field::IdTail, card),
        ];
        Said::read(fields).unwrap()
    }

    fn known(said: Said) -> Person {
        let record = Record {
            source: Source::Gate,
            at: Stamp {
                boot: BootId(1),
                monotonic: Duration::ZERO,
                wall: WallTime(0),
                trust: ClockTrust::Synchronised,
            },
            by: None,
            said,
            import: None,
            screening: None,
        };
        let rules = Rules::new(parts()).unwrap();
        Person::new(record, &rules, "2020-02-10".parse().unwrap())
    }

    #[test]
    fn the_table_is_kept() {
        use Likeness::{Doubtful, Other, Same};
        const ONE: &str = "13800138000";
        const TWO: &str = "13900139000";
        for ((phone, name, card), other, likeness) in [
            ((ONE, "王芳", "002X"), (ONE, "王 芳", ""), Same),
            ((ONE, "王芳", "002X"), (ONE, "王芳", "03002X"), Same),
            ((ONE, "王芳", "002X"), (ONE, "王芳", "1234"), Doubtful),
            ((ONE, "王芳", ""), (ONE, "李强", ""), Doubtful),
            ((ONE, "王芳", ""), (ONE, "", ""), Doubtful),
            (("", "王芳", "002X"), (ONE, "王芳", "002X"), Same),
            (("", "王芳", ""), (ONE, "王芳", "002X"), Doubtful),
            ((ONE, "王芳", "002X"), (TWO, "王芳", "002X"), Doubtful),
            ((ONE, "王芳", ""), (TWO, "王芳", "002X"), Other),
            (("", "王芳", "1234"), (ONE, "王芳", "002X"), Other),
            (("", "王芳", "002X"), ("", "李强", "002X"), Other),
            ((ONE, "Li Ming", ""), (ONE, "LI MING", ""), Same),
        ] {
            let (a, b) = (said(phone, name, card), said(other.0, other.1, other.2));
            assert_eq!(
                super::likeness(&b, &known(a.clone())),
                likeness,
                "{name} {card}"
            );
            assert_eq!(
                super::likeness(&a, &known(b)),
                likeness,
                "the other way round"
            );
        }
    }
}
