//! How a batch of messages is taken, whichever the database: what [`Ledger::take`] does between a
//! transaction's beginning and its commit.
//!
//! Everything is asked of the database for the whole batch at once, so that one that is reached over
//! a network is asked a few times for five hundred messages. What other collectors might work on, too,
//! comes in the order of its key, and one kind after the other, so that no two of them wait for each other; the
//! numbers come last, since a broker deals the messages of one site out to all collectors.
//!
//! [`Ledger::take`]: super::ledger::Ledger::take

use super::ledger::{Answer, LedgerError, Taken};
use super::letter::{self, CommandAnswer, LARGEST, Letter, Mail, Unfit};
use super::numbers::Numbers;
use crate::clock::WallTime;
use crate::id::DeviceEpoch;
use crate::mqtt::{Address, Heard};
use std::collections::{BTreeMap, HashMap};

/// Longest topic and reason kept in quarantine, in letters; ours are shorter.
const LONGEST_TEXT: usize = 512;

/// Whose numbers: site and epoch, as the database has them.
pub(super) type Whose = (String, String);

/// A message to be kept.
pub(super) struct Entry<'a> {
    /// Whose.
    pub(super) own: Whose,
    /// What it is.
    pub(super) letter: &'a Letter,
    /// As it came.
    pub(super) payload: &'a [u8],
}

/// How something stands, to be kept.
pub(super) struct Stand<'a> {
    /// Whose.
    pub(super) site: String,
    /// What.
    pub(super) name: &'a str,
    /// Whether its version is newer than what we know.
    pub(super) newer: bool,
    /// As it came; `None` where it is to be forgotten.
    pub(super) payload: Option<&'a [u8]>,
}

/// A message for the quarantine.
pub(super) struct Refused<'a> {
    pub(super) topic: String,
    pub(super) payload: &'a [u8],
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// One database's rows, inside of a transaction. What is given comes in the order of its key.
pub(super) trait Rows {
    /// The stretches of numbers that have come, in JSON; nobody else changes them before the
    /// transaction ends, also where there are none yet.
    fn stretches(&mut self, of: &[Whose]) -> Result<Vec<Option<String>>, LedgerError>;
    /// Writes them back.
    fn save(&mut self, stretches: &[(Whose, String)]) -> Result<(), LedgerError>;
    /// Keeps messages, no two of which have one key; which of them are new.
    fn insert(&mut self, entries: &[Entry<'_>], now: WallTime) -> Result<Vec<bool>, LedgerError>;
    /// Name and payload of the messages under these keys.
    fn first(&mut self, of: &[(&Whose, u64)]) -> Result<Vec<(String, Vec<u8>)>, LedgerError>;
    /// Keeps how things stand, unless that is how they stood, or a later word is there.
    fn stand(&mut self, stands: &[Stand<'_>], now: WallTime) -> Result<(), LedgerError>;
    /// Keeps what sites said of orders, unless they have said so before, or were given none.
    fn answer(
        &mut self,
        answers: &[(String, &CommandAnswer)],
        now: WallTime,
    ) -> Result<(), LedgerError>;
    /// Puts messages into quarantine, and the oldest ones beyond the bound out of it.
    fn quarantine(&mut self, refused: &[Refused<'_>], now: WallTime) -> Result<(), LedgerError>;
}

fn whose(site: &Address, epoch: &DeviceEpoch) -> Whose {
    (site.to_string(), epoch.0.clone())
}

/// Takes a batch. The answers hold only once the transaction is committed.
pub(super) fn take(
    rows: &mut dyn Rows,
    batch: &[Heard],
    now: WallTime,
) -> Result<Taken, LedgerError> {
    let mail: Vec<Result<Mail, Unfit>> = batch
        .iter()
        .map(|heard| letter::read(&heard.topic, &heard.payload))
        .collect();
    let mut taken = Taken::default();
    let mut refused = Vec::new();
    let (mut letters, mut stands, mut answers) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (heard, mail) in batch.iter().zip(&mail) {
        match mail {
            Ok(Mail::Letter(letter)) => letters.push((heard, letter)),
            Ok(Mail::Standing(it)) => {
                taken.standing += 1;
                // The last word of a batch is the one that counts.
                let stand = Stand {
                    site: it.site.to_string(),
                    name: &it.name,
                    newer: it.newer,
                    payload: (!it.gone).then_some(&heard.payload[..]),
                };
                stands.insert((stand.site.clone(), stand.name), stand);
            }
            Ok(Mail::Answer { site, answer }) => {
                taken.standing += 1;
                answers.push((site.to_string(), answer));
            }
            Err(why) => refused.push(refusal(heard, why)),
        }
    }
    let mut fit = Vec::new();
    for ((heard, letter), fate) in letters.iter().zip(keep(rows, &letters, now)?) {
        match fate {
            Fate::New => taken.new += 1,
            Fate::Again => taken.again += 1,
            Fate::Contradicts => {
                refused.push(refusal(heard, &Unfit::Contradicts));
                continue;
            }
        }
        if let Some(answer) = &letter.answer {
            answers.push((letter.site.to_string(), answer));
        }
        fit.push(*letter);
    }
    let stands: Vec<Stand<'_>> = stands.into_values().collect();
    rows.stand(&stands, now)?;
    answers.sort_by(|(a, one), (b, other)| (&one.id, a).cmp(&(&other.id, b)));
    rows.answer(&answers, now)?;
    taken.unfit = refused.len();
    rows.quarantine(&refused, now)?;
    taken.answers = number(rows, &fit)?;
    Ok(taken)
}

/// Adds the numbers of messages that are kept, and says what the sites may be told.
fn number(rows: &mut dyn Rows, letters: &[&Letter]) -> Result<Vec<Answer>, LedgerError> {
    let mut known: BTreeMap<Whose, Numbers> = BTreeMap::new();
    let mut told: BTreeMap<Whose, &Letter> = BTreeMap::new();
    for letter in letters {
        let own = whose(&letter.site, &letter.epoch);
        known.entry(own.clone()).or_default();
        told.entry(own).or_insert(letter);
        if let Some(void) = &letter.void {
            known.entry(whose(&letter.site, &void.epoch)).or_default();
        }
    }
    let keys: Vec<Whose> = known.keys().cloned().collect();
    let found = rows.stretches(&keys)?;
    for ((of, numbers), text) in known.iter_mut().zip(found) {
        if let Some(text) = text {
            let stretches: Vec<(u64, u64)> =
                serde_json::from_str(&text).map_err(|source| unreadable(of, source))?;
            *numbers = Numbers::of(&stretches);
        }
    }
    for letter in letters {
        if let Some(numbers) = known.get_mut(&whose(&letter.site, &letter.epoch)) {
            numbers.add(letter.number, letter.number);
        }
        if let Some(void) = &letter.void
            && let Some(numbers) = known.get_mut(&whose(&letter.site, &void.epoch))
        {
            for (first, last) in &void.stretches {
                numbers.add(*first, last.unwrap_or(u64::MAX));
            }
        }
    }
    rows.save(&written(&known)?)?;
    let answer = |(own, letter): (Whose, &Letter)| {
        Some(Answer {
            site: letter.site.clone(),
            receipt: known.get(&own)?.receipt(&letter.epoch)?,
        })
    };
    Ok(told.into_iter().filter_map(answer).collect())
}

/// The numbers as they go back into the database.
fn written(known: &BTreeMap<Whose, Numbers>) -> Result<Vec<(Whose, String)>, LedgerError> {
    let any = known.iter().filter(|(_, it)| !it.stretches().is_empty());
    any.map(|(of, numbers)| {
        let text =
            serde_json::to_string(numbers.stretches()).map_err(|source| unreadable(of, source))?;
        Ok((of.clone(), text))
    })
    .collect()
}

fn unreadable(of: &Whose, source: serde_json::Error) -> LedgerError {
    LedgerError::Unreadable {
        site: of.0.clone(),
        source,
    }
}

/// What becomes of a numbered message.
#[derive(Clone, Copy)]
enum Fate {
    /// It was kept.
    New,
    /// It was there already.
    Again,
    /// Another one was there already.
    Contradicts,
}

/// Keeps what is new, and compares the rest with what came first: in the database or in this batch.
fn keep(
    rows: &mut dyn Rows,
    letters: &[(&Heard, &Letter)],
    now: WallTime,
) -> Result<Vec<Fate>, LedgerError> {
    let mut firsts: BTreeMap<(Whose, u64), usize> = BTreeMap::new();
    for (place, (_, letter)) in letters.iter().enumerate() {
        let key = (whose(&letter.site, &letter.epoch), letter.number);
        firsts.entry(key).or_insert(place);
    }
    let entries: Vec<Entry<'_>> = firsts
        .iter()
        .filter_map(|((own, _), place)| {
            let (heard, letter) = letters.get(*place)?;
            Some(Entry {
                own: own.clone(),
                letter,
                payload: &heard.payload,
            })
        })
        .collect();
    let new = rows.insert(&entries, now)?;
    let old: Vec<(&Whose, u64)> = firsts
        .keys()
        .zip(&new)
        .filter_map(|((own, number), new)| (!new).then_some((own, *number)))
        .collect();
    let kept: HashMap<(&Whose, u64), (String, Vec<u8>)> =
        old.iter().copied().zip(rows.first(&old)?).collect();
    let fates = letters.iter().enumerate().map(|(place, (heard, letter))| {
        let key = (whose(&letter.site, &letter.epoch), letter.number);
        let (name, payload) = match (kept.get(&(&key.0, key.1)), firsts.get(&key)) {
            (Some((name, payload)), _) => (name, payload),
            (None, Some(first)) if *first == place => return Fate::New,
            (None, first) => match first.and_then(|it| letters.get(*it)) {
                Some((heard, letter)) => (&letter.name, &heard.payload),
                None => return Fate::Contradicts,
            },
        };
        if *name == letter.name && letter::say_the_same(payload, &heard.payload) {
            Fate::Again
        } else {
            Fate::Contradicts
        }
    });
    Ok(fates.collect())
}

fn refusal<'a>(heard: &'a Heard, why: &Unfit) -> Refused<'a> {
    Refused {
        topic: shortened(&heard.topic),
        payload: heard.payload.get(..LARGEST).unwrap_or(&heard.payload),
        reason: why.as_str(),
        detail: shortened(&why.to_string()),
    }
}

/// Somebody else's text, as every database takes it.
fn shortened(text: &str) -> String {
    text.chars()
        .take(LONGEST_TEXT)
        .map(|letter| if letter == '\0' { '\u{fffd}' } else { letter })
        .collect()
}
