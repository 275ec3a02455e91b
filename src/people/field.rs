//! What is asked of a person, and what may stand in each place: validated here and nowhere else, for a
//! phone's form, a guard's entry and a row of a list alike.
//!
//! A value is kept in one plain form (a phone's digits, a date as 2020-02-24, symptoms by their words), so
//! that two sources that say the same say it letter by letter.
//!
//! Lengths: a name as [`Note::LONGEST_NAME`]; 4 to 8 last characters of an identity card are enough to tell
//! two people of one name apart and not enough to be one; international numbers have at most 15 digits
//! (ITU-T E.164); mobile numbers of the mainland have 11 and begin with 13 to 19.

use crate::calendar::Date;
use crate::text::{Note, named};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

named! {
    /// Something that is asked of a person.
    Field {
        /// The name.
        Name = "name", "姓名", "Name";
        /// A phone number.
        Phone = "phone", "手机号码", "Phone";
        /// Where they work or whom they visit.
        Company = "company", "单位", "Company";
        /// On which floor.
        Floor = "floor", "楼层", "Floor";
        /// The last characters of the identity card.
        IdTail = "id_tail", "证件号后几位", "Last characters of the ID";
        /// Where they come from.
        From = "from", "来自", "Coming from";
        /// When they are to come back.
        Expected = "expected", "预计返沪日期", "Expected return";
        /// When they came back.
        Arrived = "arrived", "返沪日期", "Came back on";
        /// Where they were within the last fourteen days.
        Travel = "travel", "14天内行程", "Travel within 14 days";
        /// What they feel.
        Symptoms = "symptoms", "症状", "Symptoms";
        /// Whether they were with somebody who is ill or suspected to be.
        Contact = "contact", "接触史", "Contact with a case";
    }
}

impl Field {
    /// Whether a new value beside an old one is a contradiction for a person to decide. Of the others the
    /// newest counts: what somebody feels changes by the day.
    #[must_use]
    pub const fn is_steady(self) -> bool {
        !matches!(
            self,
            Self::Symptoms | Self::Contact | Self::Travel | Self::Floor
        )
    }

    /// Most characters.
    const fn longest(self) -> usize {
        match self {
            Self::Travel | Self::Symptoms => 200,
            _ => Note::LONGEST_NAME,
        }
    }

    /// What stands in this place, in its plain form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(self, text: &str) -> Result<Note, Wrong> {
        let text = visible(text, self.longest())?;
        let plain = match self {
            Self::Name => name(&text)?,
            Self::Phone => phone(&text)?,
            Self::IdTail => id_tail(&text)?,
            Self::Expected | Self::Arrived => date(&text)?.to_string(),
            Self::Symptoms => symptoms(&text)?,
            Self::Contact => yes_or_no(&text)?.to_owned(),
            Self::Company | Self::Floor | Self::From | Self::Travel => text,
        };
        Note::new(&plain).ok_or(Wrong::Empty)
    }
}

named! {
    /// What is wrong with a value.
    Wrong {
        /// Nothing is there.
        Empty = "empty", "未填写", "is missing: fill it in";
        /// Too much.
        TooLong = "too_long", "太长", "is too long: shorten it";
        /// Characters that nobody sees or that turn the direction of writing.
        Unseen = "unseen", "含有不可见字符", "holds characters that cannot be seen: type it again";
        /// Not a name.
        NotAName = "not_a_name", "不是姓名，请只写文字", "is no name: write letters only";
        /// Not a phone number.
        NotAPhone = "not_a_phone", "不是电话号码，例如 13800138000", "is no phone number: write it like 13800138000 or +49 30 901820";
        /// Not the last characters of an identity card.
        NotAnIdTail = "not_an_id_tail", "请填证件号最后4至8位", "are not the last 4 to 8 characters of an ID: letters and digits only";
        /// Not a date of the calendar.
        NotADate = "not_a_date", "不是日期，例如 2020-02-24", "is no date of the calendar: write it like 2020-02-24";
        /// A date that cannot be meant.
        ImpossibleDate = "impossible_date", "日期不合理，请核对", "cannot be right: check the date";
        /// A symptom that is not known.
        NotASymptom = "not_a_symptom", "请写 无 或：发热、咳嗽、乏力、呼吸困难、咽痛、腹泻", "is not known: write none, or some of fever, cough, fatigue, short of breath, sore throat, diarrhoea";
        /// Neither yes nor no.
        NotYesOrNo = "not_yes_or_no", "请写 有 或 无", "is neither yes nor no";
        /// Nobody agreed.
        NoConsent = "no_consent", "请先阅读说明并勾选同意", "comes first: read the notice and tick that you agree";
    }
}

named! {
    /// What somebody may feel. After the diagnosis and treatment protocol of early 2020.
    Symptom {
        /// 37.3 °C or more, or a feeling of it.
        Fever = "fever", "发热", "Fever";
        /// Cough.
        Cough = "cough", "咳嗽", "Cough";
        /// Fatigue.
        Fatigue = "fatigue", "乏力", "Fatigue";
        /// Short of breath.
        Breath = "short_of_breath", "呼吸困难", "Short of breath";
        /// Sore throat.
        Throat = "sore_throat", "咽痛", "Sore throat";
        /// Diarrhoea.
        Diarrhoea = "diarrhoea", "腹泻", "Diarrhoea";
    }
}

/// The word for no symptoms.
pub(super) const NONE: &str = "none";

/// A line without what nobody sees: control characters, and those of Unicode's general category Cf that
/// hide or turn text (zero width, bidirectional embedding, byte order mark, soft hyphen).
fn visible(text: &str, most: usize) -> Result<String, Wrong> {
    let text = text.replace(['\n', '\r', '\t', '\u{3000}', '\u{a0}'], " ");
    let text = text.trim();
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    if text.is_empty() {
        Err(Wrong::Empty)
    } else if text.chars().count() > most {
        Err(Wrong::TooLong)
    } else if text.chars().any(unseen) {
        Err(Wrong::Unseen)
    } else {
        Ok(text.to_owned())
    }
}

/// Letters of any script, and what stands between the parts of a name.
fn name(text: &str) -> Result<String, Wrong> {
    let between = |c: char| matches!(c, ' ' | '·' | '•' | '-' | '\'' | '’' | '.');
    let fits = text.chars().all(|c| c.is_alphabetic() || between(c))
        && text.chars().next().is_some_and(char::is_alphabetic);
    let words: Vec<&str> = text.split_whitespace().collect();
    fits.then(|| words.join(" ")).ok_or(Wrong::NotAName)
}

/// The digits of an ASCII or full-width number.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
        '＋' => '+',
        '－' | '—' | '–' => '-',
        '（' => '(',
        '）' => ')',
        _ => c,
    }
}

/// A phone's digits; of another country with + before them.
fn phone(text: &str) -> Result<String, Wrong> {
    let plain: String = text
        .chars()
        .map(narrow)
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.'))
        .collect();
    let plain = match plain.strip_prefix("00") {
        Some(abroad) => format!("+{abroad}"),
        None => plain,
    };
    let plain = plain.strip_prefix("+86").unwrap_or(&plain);
    let digits = plain.strip_prefix('+').unwrap_or(plain);
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let fits = match digits.as_bytes() {
        _ if plain.starts_with('+') => (7..=15).contains(&digits.len()),
        // A mobile phone of the mainland.
        [b'1', b'3'..=b'9', ..] => digits.len() == 11,
        // A landline with its area.
        [b'0', ..] => (10..=12).contains(&digits.len()),
        // A landline of this city.
        [b'2'..=b'9', ..] => digits.len() == 8,
        _ => false,
    };
    (all && fits)
        .then(|| plain.to_owned())
        .ok_or(Wrong::NotAPhone)
}

fn id_tail(text: &str) -> Result<String, Wrong> {
    let plain: String = text.chars().map(narrow).collect::<String>().to_uppercase();
    let fits = (4..=8).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(plain).ok_or(Wrong::NotAnIdTail)
}

/// A date as people and their programs write it: 2020-02-24, 2020/2/24, 2020.2.24, 20200224, 2020年2月24日.
fn date(text: &str) -> Result<Date, Wrong> {
    let text: String = text.chars().map(narrow).collect();
    // A spreadsheet's date has a time of day.
    let text = text.split([' ', 'T']).next().unwrap_or_default();
    let text = text
        .trim_end_matches('日')
        .replace(['年', '月', '/', '.'], "-");
    let eight = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = if eight {
        vec![&text[..4], &text[4..6], &text[6..]]
    } else {
        text.split('-').collect()
    };
    let number = |digits: &str, most: usize| -> Option<i64> {
        let plain =
            (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let [year, month, day] = parts.as_slice() else {
        return Err(Wrong::NotADate);
    };
    number(year, 4)
        .zip(number(month, 2))
        .zip(number(day, 2))
        .and_then(|((year, month), day)| Date::new(year, month, day))
        .ok_or(Wrong::NotADate)
}

fn symptoms(text: &str) -> Result<String, Wrong> {
    if matches!(text, "无" | "没有" | "否" | "无症状" | "正常" | "健康") || is_no(text) {
        return Ok(NONE.to_owned());
    }
    let mut found = BTreeSet::new();
    let parts = text.split(['，', ',', '、', ';', '；', '+']).map(str::trim);
    for part in parts.filter(|it| !it.is_empty()) {
        let one = Symptom::ALL.iter().find(|it| {
            part == it.zh()
                || part.eq_ignore_ascii_case(it.en())
                || part.eq_ignore_ascii_case(it.as_str())
        });
        found.insert(*one.ok_or(Wrong::NotASymptom)?);
    }
    let words: Vec<&str> = found.iter().map(|it| it.as_str()).collect();
    if words.is_empty() {
        return Err(Wrong::NotASymptom);
    }
    Ok(words.join(","))
}

fn is_no(text: &str) -> bool {
    ["no", "none", "n", "false", "0"]
        .iter()
        .any(|no| text.eq_ignore_ascii_case(no))
}

fn yes_or_no(text: &str) -> Result<&'static str, Wrong> {
    let is_yes = ["yes", "y", "true", "1"]
        .iter()
        .any(|yes| text.eq_ignore_ascii_case(yes));
    match text {
        "无" | "没有" | "否" => Ok("no"),
        "有" | "是" => Ok("yes"),
        _ if is_no(text) => Ok("no"),
        _ if is_yes => Ok("yes"),
        _ => Err(Wrong::NotYesOrNo),
    }
}

/// Something wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldWrong {
    /// Which.
    pub field: Field,
    /// What.
    pub wrong: Wrong,
}

impl fmt::Display for FieldWrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, wrong } = self;
        write!(
            f,
            "{}：{} {} {}",
            field.zh(),
            wrong.zh(),
            field.en(),
            wrong.en()
        )
    }
}

/// What one source said of a person: valid values in their plain form.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Said(BTreeMap<Field, Note>);

/// What somebody said of themself is never printed by accident.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Said {
    /// Reads what was written in some fields. An empty one says nothing.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn read<'a>(
        written: impl IntoIterator<Item = (Field, &'a str)>,
    ) -> Result<Self, Vec<FieldWrong>> {
        let (mut said, mut all_wrong) = (Self::default(), Vec::new());
        for (field, text) in written {
            match field.read(text) {
                Ok(value) => {
                    said.0.insert(field, value);
                }
                Err(Wrong::Empty) => {}
                Err(wrong) => all_wrong.push(FieldWrong { field, wrong }),
            }
        }
        if all_wrong.is_empty() {
            Ok(said)
        } else {
            Err(all_wrong)
        }
    }

    /// The fields among these that nothing was said of.
    #[must_use]
    pub fn lacking(&self, needed: &[Field]) -> Vec<FieldWrong> {
        let lacks = needed.iter().filter(|field| !self.0.contains_key(field));
        lacks
            .map(|field| FieldWrong {
                field: *field,
                wrong: Wrong::Empty,
            })
            .collect()
    }

    /// What is wrong with its dates: nobody came back in the future or before this began, or is expected in
    /// a year.
    #[must_use]
    pub fn impossible_dates(&self, today: Date) -> Vec<FieldWrong> {
        /// Days within which a date is believed. A rule of this project: half a year back, half a year on.
        const NEAR: i64 = 183;
        let away = |field: Field| Some(self.date(field)?.number() - today.number());
        let arrived = away(Field::Arrived).is_some_and(|days| !(-NEAR..=0).contains(&days));
        let expected = away(Field::Expected).is_some_and(|days| !(-NEAR..=NEAR).contains(&days));
        [(Field::Arrived, arrived), (Field::Expected, expected)]
            .into_iter()
            .filter(|(_, wrong)| *wrong)
            .map(|(field, _)| FieldWrong {
                field,
                wrong: Wrong::ImpossibleDate,
            })
            .collect()
    }

    /// What was said in a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&Note> {
        self.0.get(&field)
    }

    /// A date that was said.
    #[must_use]
    pub fn date(&self, field: Field) -> Option<Date> {
        self.0.get(&field)?.as_str().parse().ok()
    }

    /// Everything that was said.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Note)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets what was said in a field; whether there was something.
    pub(super) fn forget(&mut self, field: Field) -> bool {
        self.0.remove(&field).is_some()
    }
}

/// What somebody feels, out of its plain form.
#[must_use]
pub fn symptoms_in(plain: &Note) -> BTreeSet<Symptom> {
    plain
        .as_str()
        .split(',')
        .filter_map(Symptom::parse)
        .collect()
}

/// Under what a name is looked up: without spaces and points, in small letters.
#[must_use]
pub fn name_key(name: &Note) -> String {
    name.as_str()
        .chars()
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A phone number of which only beginning and end are seen.
#[must_use]
pub fn masked_phone(phone: &Note) -> String {
    let all: Vec<char> = phone.as_str().chars().collect();
    let hidden = 3..all.len().saturating_sub(4);
    let masked = |(at, c): (usize, &char)| if hidden.contains(&at) { '*' } else { *c };
    all.iter().enumerate().map(masked).collect()
}

/// A name of which only the first character is seen.
#[must_use]
pub fn masked_name(name: &Note) -> String {
    let mut letters = name.as_str().chars();
    let first: String = letters.next().into_iter().collect();
    // Two for everybody: the length says something, too.
    format!("{first}**")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(field: Field, text: &str) -> Result<String, Wrong> {
        field.read(text).map(|it| it.to_string())
    }

    #[test]
    fn the_same_is_said_letter_by_letter_the_same() {
        for (field, written, kept) in [
            (Field::Phone, "138 0013-8000", "13800138000"),
            (Field::Phone, "+86 １３８００１３８０００", "13800138000"),
            (Field::Phone, "0049 (30) 901820", "+4930901820"),
            (Field::Phone, "021-62780000", "02162780000"),
            (Field::Name, " 欧阳　娜娜 ", "欧阳 娜娜"),
            (Field::Name, "O’Brien  Ann-Marie", "O’Brien Ann-Marie"),
            (Field::Expected, "2020年2月9日", "2020-02-09"),
            (Field::Expected, "2020/2/9 0:00:00", "2020-02-09"),
            (Field::Expected, "20200209", "2020-02-09"),
            (Field::Symptoms, "咳嗽、发热", "fever,cough"),
            (Field::Symptoms, "无", "none"),
            (Field::Contact, "无", "no"),
            (Field::IdTail, "002x", "002X"),
        ] {
            assert_eq!(plain(field, written).as_deref(), Ok(kept), "{written}");
        }
    }

    #[test]
    fn hostile_and_broken_values_are_refused_by_name() {
        for (field, written, wrong) in [
            (Field::Name, "<script>alert(1)</script>", Wrong::NotAName),
            (Field::Name, "=HYPERLINK(\"x\")", Wrong::NotAName),
            (Field::Name, "王\u{202e}芳", Wrong::Unseen),
            (Field::Name, "王\u{0}芳", Wrong::Unseen),
            (Field::Company, "\u{200b}\u{feff}", Wrong::Unseen),
            (Field::Phone, "12345", Wrong::NotAPhone),
            (Field::Phone, "1380013800０0", Wrong::NotAPhone),
            (Field::Phone, "+", Wrong::NotAPhone),
            (Field::Expected, "2020-02-30", Wrong::NotADate),
            (Field::Expected, "43875", Wrong::NotADate),
            (Field::Expected, "二月", Wrong::NotADate),
            (Field::Symptoms, "还好", Wrong::NotASymptom),
            (Field::Symptoms, ",", Wrong::NotASymptom),
            (Field::Contact, "也许", Wrong::NotYesOrNo),
            (Field::IdTail, "310101199001011234", Wrong::NotAnIdTail),
        ] {
            assert_eq!(plain(field, written), Err(wrong), "{written:?}");
        }
        let long = "长".repeat(201);
        for field in Field::ALL {
            assert_eq!(plain(*field, &long), Err(Wrong::TooLong), "{field:?}");
            assert_eq!(plain(*field, " \n"), Err(Wrong::Empty), "{field:?}");
        }
    }

    #[test]
    fn dates_that_cannot_be_meant_are_seen() {
        let today = "2020-02-24".parse().unwrap();
        let wrong = |field: Field, date: &str| {
            let said = Said::read([(field, date)]).unwrap();
            !said.impossible_dates(today).is_empty()
        };
        assert!(wrong(Field::Arrived, "2020-02-25"));
        assert!(wrong(Field::Arrived, "1970-01-01"));
        assert!(!wrong(Field::Arrived, "2020-02-24"));
        assert!(wrong(Field::Expected, "2030-02-24"));
        assert!(!wrong(Field::Expected, "2020-03-24"));
    }

    #[test]
    fn what_is_masked_cannot_be_read() {
        let phone = Field::Phone.read("13800138000").unwrap();
        assert_eq!(masked_phone(&phone), "138****8000");
        let name = Field::Name.read("欧阳娜娜").unwrap();
        assert_eq!(masked_name(&name), "欧**");
        let said = Said::read([(Field::Name, "王芳")]).unwrap();
        assert!(!format!("{said:?}").contains('王'));
    }

    proptest! {
        #[test]
        fn what_was_read_reads_the_same_again(text in "\\PC{0,30}") {
            for field in Field::ALL {
                if let Ok(value) = field.read(&text) {
                    prop_assert_eq!(field.read(value.as_str()), Ok(value));
                }
            }
        }

        #[test]
        fn a_masked_phone_shows_seven_digits_at_most(digits in "1[3-9][0-9]{9}") {
            let masked = masked_phone(&Field::Phone.read(&digits).unwrap());
            prop_assert_eq!(masked.chars().filter(char::is_ascii_digit).count(), 7);
        }
    }
}
