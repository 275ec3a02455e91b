//! What keeps the register, seen from the desk: people behind marks by which they are found, and beside each
//! change and each look the line that says who did it. The store stands behind [`Register`]; nobody here
//! knows SQL or ciphers. All calls block.

use super::colour::Colour;
use super::field::{Field, Said, name_key};
use super::gate::Plan;
use super::person::{Code, Person, PersonId};
use super::rules::Rules;
use super::source::{ImportId, Source};
use super::totals::{Reminder, Told};
use crate::calendar::Date;
use crate::clock::Stamp;
use crate::id::ScreeningId;
use crate::journal::JournalError;
use crate::text::{Note, named};
use std::collections::{BTreeMap, BTreeSet};

named! {
    /// What was done with the register, as the audit has it.
    Deed {
        /// Somebody's page was seen.
        Viewed = "person_viewed", "查看人员", "person viewed";
        /// A list of people was seen.
        Listed = "people_listed", "查看名单", "people listed";
        /// What is known of somebody was given out.
        Exported = "person_exported", "导出人员", "person exported";
        /// A list of people was given out.
        ListExported = "people_exported", "导出名单", "list exported";
        /// A source said something.
        Recorded = "person_recorded", "登记", "recorded";
        /// Somebody declared their health.
        Declared = "person_declared", "自我申报", "declared";
        /// A contradiction was decided.
        Settled = "person_settled", "核定信息", "contradiction settled";
        /// Two turned out to be one.
        Merged = "people_merged", "合并人员", "people merged";
        /// Two turned out to be two.
        KeptApart = "people_kept_apart", "确认非同一人", "people kept apart";
        /// A step to another colour.
        Moved = "person_moved", "变更颜色", "colour changed";
        /// A step was proposed.
        Proposed = "step_proposed", "建议变更", "step proposed";
        /// A proposal was turned down.
        Declined = "step_declined", "不采纳建议", "proposal declined";
        /// A day's health was entered.
        HealthEntered = "health_entered", "登记健康", "health entered";
        /// A code was checked at the gate.
        CodeChecked = "code_checked", "查验当日码", "code checked";
        /// A code was tried that is none.
        CodeUnknown = "code_unknown", "当日码无效", "unknown code";
        /// Somebody was let in, or not.
        Passed = "person_passed", "放行", "let in";
        /// Somebody was not let in.
        TurnedBack = "person_turned_back", "未放行", "not let in";
        /// A list is read in.
        ImportBegun = "import_begun", "开始导入", "import begun";
        /// A list was read in.
        ImportEnded = "import_ended", "导入完成", "import ended";
        /// A list was taken back.
        ImportUndone = "import_undone", "撤销导入", "import undone";
        /// Fields were erased by rule.
        Forgotten = "fields_erased", "按规则删除字段", "fields erased by rule";
        /// A person was erased by rule.
        ErasedByRule = "person_erased_by_rule", "按规则删除人员", "person erased by rule";
        /// A person was erased on request.
        Erased = "person_erased", "删除人员", "person erased";
        /// A company's number of a day was entered.
        Planned = "headcount_planned", "登记到岗计划", "headcount entered";
        /// People were sealed with a new key.
        Resealed = "people_resealed", "更换密钥", "sealed with a new key";
    }
}

named! {
    /// Why somebody is erased before the rules say so. One of a few words: what a person writes in the audit could
    /// name whom it is about.
    Erasure {
        /// They asked for it.
        Asked = "asked", "本人要求", "they asked for it";
        /// They should not have been entered.
        Mistake = "mistake", "登记错误", "entered by mistake";
        /// They neither work nor come here.
        Elsewhere = "elsewhere", "与本楼无关", "they have nothing to do with this building";
    }
}

/// A line of the audit. Never with a name, a phone or anything else of a person but their number.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What was done.
    pub deed: Deed,
    /// To whom or what: a number, colours, counts.
    pub subject: String,
    /// Who; `None`: the gateway, or the person themself.
    pub by: Option<Note>,
    /// When.
    pub at: Stamp,
}

/// By what people are found although their data are sealed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A phone number.
    Phone(String),
    /// A name's key.
    Name(String),
    /// A phone number and a name's key: both are said of the same person.
    PhoneAndName(String, String),
    /// A name's key and the last four characters of the card.
    NameAndCard(String, String),
    /// A name's key, of somebody of whom no phone number is known.
    NameAlone(String),
    /// A company's name.
    Company(String),
    /// A source that knows them.
    Source(Source),
    /// A list that they came with.
    Import(ImportId),
    /// A code of a day.
    Code(Date, Code),
    /// A screening that they said is theirs.
    Screening(ScreeningId),
    /// The last day on which they were let in.
    Entered(Date),
}

impl Mark {
    /// The mark of a phone.
    #[must_use]
    pub fn phone(phone: &Note) -> Self {
        Self::Phone(phone.to_string())
    }

    /// The mark of a name.
    #[must_use]
    pub fn name(name: &Note) -> Self {
        Self::Name(name_key(name))
    }

    /// By what a person is compared with others.
    #[must_use]
    pub(super) fn compared(person: &Person) -> BTreeSet<Self> {
        let all = |field: Field, plain: fn(&Note) -> String| -> BTreeSet<String> {
            let said = person.records.iter().filter_map(|it| it.said.get(field));
            said.map(plain).collect()
        };
        let phones = all(Field::Phone, Note::to_string);
        let names = all(Field::Name, name_key);
        let cards = all(Field::IdTail, last_four);
        let mut marks: BTreeSet<Self> = phones.iter().cloned().map(Self::Phone).collect();
        for name in names {
            let pair = |phone: &String| Self::PhoneAndName(phone.clone(), name.clone());
            marks.extend(phones.iter().map(pair));
            let pair = |card: &String| Self::NameAndCard(name.clone(), card.clone());
            marks.extend(cards.iter().map(pair));
            if phones.is_empty() {
                marks.insert(Self::NameAlone(name.clone()));
            }
            marks.insert(Self::Name(name));
        }
        marks
    }

    /// By what somebody is found who is, or may be, the one of whom this was said
    /// ([`likeness`](super::likeness)): whoever is the same is found by a mark that hardly anybody else has.
    #[must_use]
    pub(super) fn alike(said: &Said) -> BTreeSet<Self> {
        let phone = said.get(Field::Phone).map(Note::to_string);
        let name = said.get(Field::Name).map(name_key);
        let card = said.get(Field::IdTail).map(last_four);
        let mut marks = BTreeSet::new();
        if let Some(name) = name {
            marks.extend(card.map(|card| Self::NameAndCard(name.clone(), card)));
            match phone.clone() {
                Some(phone) => {
                    marks.insert(Self::PhoneAndName(phone, name.clone()));
                    // Whoever has another phone is somebody else.
                    marks.insert(Self::NameAlone(name));
                }
                None => drop(marks.insert(Self::Name(name))),
            }
        }
        marks.extend(phone.map(Self::Phone));
        marks
    }

    /// The mark of a company.
    #[must_use]
    pub fn company(company: &Note) -> Self {
        Self::Company(company.as_str().to_lowercase())
    }
}

/// A card's last four characters: what every source has of it that says anything.
fn last_four(card: &Note) -> String {
    let all: Vec<char> = card.as_str().chars().collect();
    all.iter().skip(all.len().saturating_sub(4)).collect()
}

/// What of a person is kept open, so that they are found and counted: colour and dates, nothing that says
/// who it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// The colour.
    pub colour: Option<Colour>,
    /// When the observation is over, or the return expected.
    pub due: Option<Date>,
    /// The last day of which health was said.
    pub said_on: Option<Date>,
    /// When they are expected in the building.
    pub expected: Option<Date>,
    /// Whether something waits for a person's word.
    pub waits: bool,
    /// From which day on something is to be forgotten.
    pub forget_on: Option<Date>,
    /// Marks to find them by.
    pub marks: Vec<Mark>,
}

impl Outline {
    /// Of a person.
    #[must_use]
    pub fn of(person: &Person, rules: &Rules) -> Self {
        let mut marks: Vec<Mark> = Mark::compared(person).into_iter().collect();
        for record in &person.records {
            marks.push(Mark::Source(record.source));
            marks.extend(record.import.map(Mark::Import));
        }
        marks.extend(person.value(Field::Company).map(Mark::company));
        let screenings = person.visits.iter().filter_map(|it| it.screening);
        marks.extend(screenings.map(Mark::Screening));
        let entered = person.visits.iter().rev().find(|it| it.entered);
        marks.extend(entered.map(|it| Mark::Entered(it.date)));
        let code = person.code.clone();
        marks.extend(code.map(|(date, code)| Mark::Code(date, code)));
        marks.sort();
        marks.dedup();
        Self {
            colour: person.follow.colour(),
            due: person.follow.standing().and_then(|it| it.due),
            said_on: person.follow.health.last().map(|it| it.date),
            expected: person.date(Field::Expected),
            waits: person.waits(),
            forget_on: person.forget_on(rules),
            marks,
        }
    }
}

/// Which people.
#[derive(Clone, Debug, PartialEq)]
pub enum By {
    /// All.
    All,
    /// These numbers.
    Numbers(Vec<PersonId>),
    /// With any of these marks.
    Marks(Vec<Mark>),
    /// The same, [`Search::most`] of each mark: for whoever compares many at once.
    Each(BTreeSet<Mark>),
    /// Of a colour.
    Colour(Colour),
    /// Whose observation is over or whose return was expected, on this day or before.
    Due(Date),
    /// Observed, and without a word of their health on this day.
    Unsaid(Date),
    /// Expected in the building on this day.
    Expected(Date),
    /// About whom something waits for a person's word.
    Waiting,
    /// Of whom something is to be forgotten on this day.
    Forgettable(Date),
    /// Sealed with an older key.
    OlderKey,
}

/// Which people, and how many of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Which.
    pub by: By,
    /// After this number; people come in the order of their numbers.
    pub after: PersonId,
    /// At most so many.
    pub most: u32,
}

impl Search {
    /// As many as one page or one step holds.
    pub const PAGE: u32 = 100;

    /// The first of them.
    #[must_use]
    pub const fn by(by: By) -> Self {
        Self {
            by,
            after: PersonId(0),
            most: Self::PAGE,
        }
    }

    /// One person.
    #[must_use]
    pub fn one(id: PersonId) -> Self {
        Self::by(By::Numbers(vec![id]))
    }
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A person as they are now, new or known.
    Keep(Box<Person>, Outline),
    /// A person is gone, with everything that led to them.
    Erase(PersonId),
    /// A list that is read in: so many rows were taken so far.
    Import(Import),
    /// So many more passed the gate.
    Pass(Date, Passage, u32),
    /// What companies plan for a day.
    Plan(Plan),
    /// What was planned for days before this one is gone.
    DropPlans(Date),
    /// The totals by colour that are told of a day.
    Tell(Date, Stamp, Vec<(Colour, Told)>),
    /// A line of the audit.
    Note(Entry),
}

named! {
    /// Who passes the gate, or leaves things there.
    Passage {
        /// Let in.
        Entered = "entered", "放行", "let in";
        /// Not let in.
        TurnedBack = "turned_back", "未放行", "not let in";
        /// A courier.
        Courier = "courier", "快递", "courier";
        /// A takeaway.
        Takeaway = "takeaway", "外卖", "takeaway";
    }
}

/// A list that was read in.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// Its number.
    pub id: ImportId,
    /// Of which source.
    pub source: Source,
    /// Who.
    pub by: Note,
    /// When it began.
    pub at: Stamp,
    /// Rows that were taken.
    pub taken: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// How it stands.
    pub state: ImportState,
}

named! {
    /// How a list stands.
    ImportState {
        /// It is being read, or the reading was cut short.
        Begun = "begun", "未完成", "not finished";
        /// All of it is in.
        Ended = "ended", "已导入", "imported";
        /// It was taken back.
        Undone = "undone", "已撤销", "undone";
    }
}

/// What is counted without looking at anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// People by colour.
    pub colours: BTreeMap<Colour, u64>,
    /// People by source; who is known by two is counted by both.
    pub sources: BTreeMap<Source, u64>,
    /// By company: how many of each colour, and one of them, by whom its name is found.
    pub companies: Vec<(PersonId, BTreeMap<Colour, u64>)>,
    /// Everybody.
    pub people: u64,
    /// About whom something waits for a person's word.
    pub waiting: u64,
    /// Whose observation is over, or who was expected before today.
    pub overdue: u64,
    /// Observed, and nothing was said of their health today.
    pub unsaid: u64,
}

/// What decides, of the people that are there and the number of the next new one, what is written.
pub type Decide<'a> = &'a mut dyn FnMut(Vec<Person>, PersonId) -> Vec<Write>;

/// The register.
pub trait Register: Send + Sync {
    /// People, and the line that says who looks at them, in one transaction.
    ///
    /// # Errors
    /// Where the store cannot be read or the line cannot be written: then nobody is shown.
    fn look(&self, search: &Search, entry: &Entry) -> Result<Vec<Person>, JournalError>;

    /// Shows the people that are there to `decide`, and writes what it gives, in one transaction that is on
    /// the disk when this returns: nobody writes in between.
    ///
    /// # Errors
    /// Where the store cannot be written; then nothing was.
    fn write(&self, search: &Search, decide: Decide<'_>) -> Result<(), JournalError>;

    /// What is counted without looking at anybody.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn counts(&self, today: Date) -> Result<Counts, JournalError>;

    /// How many passed the gate on a day.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn passed(&self, date: Date) -> Result<BTreeMap<Passage, u32>, JournalError>;

    /// Of each company whose people are expected or were let in on a day: one of them, by whom its name is
    /// found, how many are expected back, and how many were let in.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn at_gate(&self, date: Date) -> Result<Vec<(PersonId, u32, u32)>, JournalError>;

    /// How many of a company were let in on a day.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn entered_of(&self, company: &Note, date: Date) -> Result<u32, JournalError>;

    /// What companies plan for a day.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn plan(&self, date: Date) -> Result<Plan, JournalError>;

    /// Has staff be reminded, unless they were on that day; whether they are now.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn remind(&self, reminder: &Reminder, at: Stamp) -> Result<bool, JournalError>;

    /// The lists that were read in, newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn imports(&self) -> Result<Vec<Import>, JournalError>;

    /// Five bytes that nobody else can tell, of a text: the code of a day, the seal of a poster.
    fn seal(&self, text: &str) -> [u8; 5];
}
