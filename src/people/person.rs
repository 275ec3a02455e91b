//! One person, as the register has them: what each source said, what follows from it, and how they are
//! followed. Nothing that a source said is overwritten by another one; where two contradict each other, both
//! are shown until a person decides.

use super::colour::Colour;
use super::field::{Field, Said, name_key};
use super::follow::{FollowUp, Lack, Move, Proposal, Reason, Step};
use super::rules::Rules;
use super::source::{ImportId, Record, Source};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::id::ScreeningId;
use crate::text::Note;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Number of a person in the register, never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u64);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PersonId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A person decided what is right where sources contradict each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// In which field.
    pub field: Field,
    /// What is right.
    pub value: Note,
    /// Who decided.
    pub by: Note,
    /// When.
    pub at: Stamp,
    /// How many records were there: a later one may contradict again.
    pub after: usize,
}

/// What the sources say together of one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing<'a> {
    /// Nothing.
    Unknown,
    /// This.
    Agreed(&'a Note),
    /// These, oldest first, and who said each: a person is to decide. The first stands meanwhile.
    Contradicted(Vec<(&'a Note, Source)>),
}

/// Somebody showed the day's code at the gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// When.
    pub at: Stamp,
    /// On which day.
    pub date: Date,
    /// Who let them in, or did not.
    pub by: Note,
    /// Whether they were let in.
    pub entered: bool,
    /// The screening that they said is theirs.
    pub screening: Option<ScreeningId>,
    /// Whether a contact thermometer confirmed that screening's fever.
    pub fever: bool,
}

/// The code of a day (当日码): eight letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

impl Code {
    /// Letters and digits that nobody takes for another one (Crockford's base 32).
    const ALPHABET: [char; 32] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H',
        'J', 'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
    ];

    /// Five bytes as a code: 40 bits, so that a guess hits one of a thousand codes of a day once in a
    /// thousand million tries.
    #[must_use]
    pub fn of(bytes: [u8; 5]) -> Self {
        let all = bytes
            .iter()
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let letter = |at: u32| Self::ALPHABET[(all >> (35 - 5 * at) & 31) as usize];
        Self((0..8).map(letter).collect())
    }

    /// A code as somebody typed it: small letters, a dash and spaces are forgiven, and letters that look
    /// like digits.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        let plain: Option<String> = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-'))
            .map(|c| match c.to_ascii_uppercase() {
                'O' => Some('0'),
                'I' | 'L' => Some('1'),
                c => Self::ALPHABET.contains(&c).then_some(c),
            })
            .take(9)
            .collect();
        plain.filter(|it| it.len() == 8).map(Self)
    }

    /// Without the dash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Four and four, as people read it aloud.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, other) = self.0.split_at(4);
        write!(f, "{one}-{other}")
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Their number; 0 until the register gives one.
    pub id: PersonId,
    /// What the sources said, oldest first.
    pub records: Vec<Record>,
    /// What people decided.
    pub settled: Vec<Settled>,
    /// Who may be the same person: a person is to decide.
    pub doubts: Vec<PersonId>,
    /// Who is another person, although it looked otherwise.
    pub others: Vec<PersonId>,
    /// The numbers of those who turned out to be this person.
    pub merged: Vec<PersonId>,
    /// How they are followed.
    pub follow: FollowUp,
    /// When they showed a code at the gate.
    pub visits: Vec<Visit>,
    /// The last code, and the day on which it counts.
    pub code: Option<(Date, Code)>,
    /// The version of the notice to which they agreed, and when.
    pub consent: Option<(u32, Stamp)>,
    /// The day on which something last happened with them.
    pub last: Date,
}

impl Person {
    /// Most records that are kept of one person: enough for every source to say something every day of an
    /// observation.
    pub const MOST_RECORDS: usize = 100;

    /// Most visits that are remembered: a fortnight of two a day.
    pub const MOST_VISITS: usize = 28;

    /// Somebody new, with the colour that the rules give them.
    #[must_use]
    pub fn new(first: Record, rules: &Rules, today: Date) -> Self {
        let at = first.at;
        let mut person = Self {
            id: PersonId(0),
            records: vec![first],
            settled: Vec::new(),
            doubts: Vec::new(),
            others: Vec::new(),
            merged: Vec::new(),
            follow: FollowUp::default(),
            visits: Vec::new(),
            code: None,
            consent: None,
            last: today,
        };
        person.apply(rules, true, at, today);
        person
    }

    /// What the sources say together of a field.
    #[must_use]
    pub fn standing(&self, field: Field) -> Standing<'_> {
        let settled = self.settled.iter().rev().find(|it| it.field == field);
        let since = settled.map_or(0, |it| it.after.min(self.records.len()));
        let later = self.records.get(since..).unwrap_or_default();
        let mut said = later
            .iter()
            .filter_map(|record| Some((record.said.get(field)?, record.source)));
        if !field.is_steady() {
            let newest = said
                .next_back()
                .map(|it| it.0)
                .or(settled.map(|it| &it.value));
            return newest.map_or(Standing::Unknown, Standing::Agreed);
        }
        let mut values: Vec<(&Note, Source)> = Vec::new();
        // Who decided stands where the source stood that said the same.
        let decided = settled.map(|it| (&it.value, Source::Community));
        for (value, source) in decided.into_iter().chain(said) {
            if !values.iter().any(|it| same(field, it.0, value)) {
                values.push((value, source));
            }
        }
        match values.as_slice() {
            [] => Standing::Unknown,
            [(one, _)] => Standing::Agreed(one),
            _ => Standing::Contradicted(values),
        }
    }

    /// What counts in a field until somebody decides otherwise.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Note> {
        match self.standing(field) {
            Standing::Unknown => None,
            Standing::Agreed(value) => Some(value),
            Standing::Contradicted(values) => values.first().map(|it| it.0),
        }
    }

    /// A date that counts.
    #[must_use]
    pub fn date(&self, field: Field) -> Option<Date> {
        self.value(field)?.as_str().parse().ok()
    }

    /// The fields in which sources contradict each other.
    #[must_use]
    pub fn contradicted(&self) -> Vec<Field> {
        let fields = Field::ALL.iter().copied();
        fields
            .filter(|field| matches!(self.standing(*field), Standing::Contradicted(_)))
            .collect()
    }

    /// Everything that counts, together.
    #[must_use]
    pub fn said(&self) -> Said {
        let values = Field::ALL
            .iter()
            .filter_map(|field| Some((*field, self.value(*field)?.as_str())));
        // Values are read again as what they were read from.
        Said::read(values).unwrap_or_default()
    }

    /// By which sources they are known.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<Source> {
        self.records.iter().map(|it| it.source).collect()
    }

    /// Whether something about them waits for a person's word.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.doubts.is_empty() || self.follow.proposal.is_some() || !self.contradicted().is_empty()
    }

    /// What their follow-up lacks; `entered` is when the last step was entered.
    #[must_use]
    pub fn lacks(&self, entered: Option<Date>, today: Date) -> Vec<Lack> {
        self.follow.lacks(entered, today)
    }

    /// Adds what a source said, and follows from it what the rules say: a colour for whoever has none, a
    /// proposal for whoever has one.
    pub fn add(&mut self, record: Record, rules: &Rules, today: Date) {
        let at = record.at;
        let is_new = self.follow.steps.is_empty();
        if !self.records.contains(&record) {
            self.records.push(record);
        }
        let surplus = self.records.len().saturating_sub(Self::MOST_RECORDS);
        if surplus > 0 {
            // The first says by what they became known; it stays.
            self.records.drain(1..=surplus);
        }
        self.last = self.last.max(today);
        self.apply(rules, is_new, at, today);
    }

    /// Somebody decided what is right in a field.
    pub(super) fn settle(&mut self, settled: Settled, rules: &Rules, today: Date) {
        let at = settled.at;
        self.settled.retain(|it| it.field != settled.field);
        self.settled.push(settled);
        self.apply(rules, false, at, today);
    }

    /// What the rules say of what counts now.
    fn apply(&mut self, rules: &Rules, is_new: bool, at: Stamp, today: Date) {
        let expected = self.date(Field::Expected);
        if let Some(step) = self.follow.steps.last_mut()
            && step.to.is_some_and(Colour::is_expected)
        {
            step.due = expected;
        }
        let Some((to, on)) = rules.beginning(&self.said(), today) else {
            return;
        };
        // Whoever was red is under medical observation, whatever region the sources name.
        let to = match self.follow.colour().and_then(Colour::on_arrival) {
            Some(Colour::Purple) if to.is_observed() => Colour::Purple,
            _ => to,
        };
        let is_first = is_new && self.follow.colour().is_none();
        if is_first {
            let wanted = Move {
                to: Some(to),
                on,
                expected,
                sign: None,
                at,
                today,
            };
            if self.follow.take(wanted, rules).is_ok() {
                return;
            }
        }
        let since = self.follow.steps.last().map(|it| it.on);
        let stays = match self.follow.colour() {
            // A new return from a key region is a new beginning; an old one is not.
            Some(Colour::Green) => since.is_some_and(|since| on <= since),
            Some(Colour::Purple) => true,
            Some(now) => now == to,
            None => false,
        };
        if !stays {
            let is_ill = self
                .said()
                .get(Field::Symptoms)
                .is_some_and(|it| it.as_str() != "none");
            self.follow.propose(Proposal {
                to,
                on,
                reason: if is_ill { Reason::Unwell } else { Reason::Rule },
                alert: None,
                at,
            });
        }
    }

    /// Whether somebody did something about them beyond what sources said.
    pub(super) fn was_acted_on(&self) -> bool {
        let signed = |it: &Step| it.sign.is_some();
        !self.visits.is_empty()
            || !self.follow.health.is_empty()
            || !self.settled.is_empty()
            || !self.merged.is_empty()
            || self.follow.steps.iter().any(signed)
    }

    /// Takes back what an imported list said; whether something is left.
    pub(super) fn take_back(&mut self, import: ImportId, rules: &Rules, today: Date) -> bool {
        self.records.retain(|it| it.import != Some(import));
        let Some(last) = self.records.last() else {
            return false;
        };
        // Nobody has acted on it: what the rules gave they give anew.
        let at = last.at;
        self.follow = FollowUp::default();
        self.apply(rules, true, at, today);
        true
    }

    /// Takes in everything that is known of another one who is the same person. Their own follow-up counts
    /// where they have one; the other one's becomes a proposal where it is stricter.
    pub(super) fn absorb(&mut self, other: Self, at: Stamp, rules: &Rules, today: Date) {
        let theirs = other.follow.standing().cloned();
        if self.follow.steps.is_empty() {
            self.follow = other.follow;
        } else if let Some(step) = theirs
            && let Some(to) = step.to
        {
            self.follow.health.extend(other.follow.health);
            self.follow.health.sort_by_key(|it| it.date);
            if self.follow.colour() != Some(to) {
                self.follow.propose(Proposal {
                    to,
                    on: step.on,
                    reason: Reason::Rule,
                    alert: None,
                    at,
                });
            }
        }
        self.records.extend(other.records);
        self.records.sort_by_key(|it| it.at.wall);
        // What was decided before says nothing of what is new now.
        for settled in &mut self.settled {
            settled.after = 0;
        }
        self.visits.extend(other.visits);
        self.visits.sort_by_key(|it| it.at.wall);
        self.merged.push(other.id);
        self.merged.extend(other.merged);
        self.doubts.retain(|it| *it != other.id);
        let more = other.doubts.into_iter().filter(|it| *it != self.id);
        self.doubts.extend(more);
        self.doubts.sort();
        self.doubts.dedup();
        if other.consent.map(|it| it.0) > self.consent.map(|it| it.0) {
            self.consent = other.consent;
        }
        self.code = self.code.take().max(other.code);
        self.last = self.last.max(other.last);
        self.apply(rules, false, at, today);
    }

    /// Forgets what its rule says is to be forgotten by this day; gives the fields.
    pub(super) fn forget(&mut self, rules: &Rules, today: Date) -> Vec<Field> {
        if self.is_followed() {
            return Vec::new();
        }
        let mut forgotten = Vec::new();
        for field in Field::ALL {
            let Some(rule) = rules.field(*field) else {
                continue;
            };
            if self.last.plus(rule.keep_days) >= today {
                continue;
            }
            let mut had = false;
            for record in &mut self.records {
                had |= record.said.forget(*field);
            }
            let before = self.settled.len();
            self.settled.retain(|it| it.field != *field);
            had |= self.settled.len() < before;
            if *field == Field::Symptoms {
                had |= !self.follow.health.is_empty();
                self.follow.health.clear();
            }
            if had {
                forgotten.push(*field);
            }
        }
        forgotten
    }

    /// Whether somebody is expected or observed: then nothing is forgotten.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.follow
            .colour()
            .is_some_and(|it| it.is_observed() || it.is_expected())
    }

    /// The day from which on something of them is to be forgotten; `None` while they are followed.
    #[must_use]
    pub(super) fn forget_on(&self, rules: &Rules) -> Option<Date> {
        if self.is_followed() {
            return None;
        }
        let has = |field: Field| {
            let in_record = |it: &Record| it.said.get(field).is_some();
            self.records.iter().any(in_record)
                || (field == Field::Symptoms && !self.follow.health.is_empty())
        };
        let fields = Field::ALL.iter().copied().filter(|field| has(*field));
        fields
            .filter_map(|field| rules.field(field))
            .map(|rule| rule.keep_days)
            .chain([rules.keep_days()])
            .min()
            .map(|days| self.last.plus(days).plus(1))
    }

    /// Whether everything of them is to be erased by this day.
    #[must_use]
    pub(super) fn is_over(&self, rules: &Rules, today: Date) -> bool {
        !self.is_followed() && self.last.plus(rules.keep_days()) < today
    }
}

/// Whether two values of a field say the same.
fn same(field: Field, one: &Note, other: &Note) -> bool {
    match field {
        Field::Name => name_key(one) == name_key(other),
        // Of one card a source may show more characters than another.
        Field::IdTail => {
            one.as_str().ends_with(other.as_str()) || other.as_str().ends_with(one.as_str())
        }
        _ => one == other,
    }
}
