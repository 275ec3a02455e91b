//! The street office's database, whichever it is: each message once, receipts only from what was
//! kept.
//!
//! [`Ledger::take`] writes a batch of messages, the numbers that have come with them and what is
//! unfit in one transaction, and gives the receipts after it is on the disk. A message under a key
//! that is there already changes nothing and is acknowledged again: its first receipt may have been
//! lost. Where this process dies before the commit, nobody was told anything, and the gateways
//! send again.
//!
//! Several collectors may use one database: what `take` works from it locks first, in one order for
//! all of them.

use super::letter::{self, CommandAnswer, LARGEST, Letter, Mail, Standing, Unfit};
use super::numbers::Numbers;
use super::record::{Counts, Errand, Kept, Logged, Mark, Order, Quarantined, State, Wanted};
use crate::clock::WallTime;
use crate::id::DeviceEpoch;
use crate::journal::Receipt;
use crate::mqtt::{Address, Heard};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The schema that this program writes.
pub(super) const SCHEMA: i64 = 1;
/// Messages kept in quarantine: a gate that sends rubbish without end must not fill the disk.
pub(super) const MOST_IN_QUARANTINE: i64 = 10_000;
/// Longest topic and reason kept in quarantine, in letters; ours are shorter.
const LONGEST_TEXT: usize = 512;

/// Why the ledger could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file was written by a newer program, or is no ledger.
    #[error(
        "{file} has schema {found}, this program knows {SCHEMA}: it was written by a newer version, \
         or by another program. Install that version, or choose another file"
    )]
    Schema {
        /// Which.
        file: PathBuf,
        /// What it says.
        found: i64,
    },
    /// A row names a site as the program never did.
    #[error("{0:?} in the street's database is no site; keep a copy of it and report this")]
    Site(String),
    /// A row says what the program never wrote.
    #[error(
        "the numbers kept for {site} cannot be read ({source}); keep a copy of the database and \
         report this"
    )]
    Unreadable {
        /// Whose.
        site: String,
        /// In what.
        source: serde_json::Error,
    },
    /// The database did not let us.
    #[error(
        "the street's database failed: {0}. Look at the disk (df, dmesg); gateways keep what was \
         not acknowledged"
    )]
    Database(#[from] rusqlite::Error),
}

/// What a site is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whom.
    pub site: Address,
    /// What.
    pub receipt: Receipt,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Messages that are new.
    pub new: usize,
    /// Messages that were there already.
    pub again: usize,
    /// Messages without a number that were fit: how things stand, commands that were refused.
    pub standing: usize,
    /// Messages that went into quarantine.
    pub unfit: usize,
    /// One for each site and epoch that sent something fit.
    pub answers: Vec<Answer>,
}

/// What the collector and the office's pages need of a database. All calls block.
///
/// Every call fails where the database cannot be reached, or holds what the program never wrote.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Ledger: Send + Sync {
    /// Keeps what is fit, puts the rest into quarantine, and says what the sites are to be told. All
    /// of it is on the disk when this returns. Where it fails nothing was kept, and nobody may be
    /// told anything.
    fn take(&self, batch: &[Heard], now: WallTime) -> Result<Taken, LedgerError>;

    /// Messages of a site's epoch, by number.
    fn messages(&self, site: &Address, epoch: &DeviceEpoch) -> Result<Vec<Kept>, LedgerError>;

    /// Messages that are wanted, newest first; those that came together, by site and number.
    fn letters(&self, wanted: &Wanted<'_>) -> Result<Vec<Logged>, LedgerError>;

    /// How everything stands, by site and name; of one site, or of all.
    fn states(&self, site: Option<&Address>) -> Result<Vec<State>, LedgerError>;

    /// What is in quarantine, newest first, at most `limit`.
    fn quarantine(&self, limit: u32) -> Result<Vec<Quarantined>, LedgerError>;

    /// How much there is. Counts rows: for a page that is asked for, not for one that asks.
    fn counts(&self) -> Result<Counts, LedgerError>;

    /// Whether anything has changed: cheap, for pages that ask every second.
    fn mark(&self) -> Result<Mark, LedgerError>;

    /// Gives an order to sites; collectors send it. One whose id is there already changes nothing.
    fn order(&self, order: &Order, sites: &[Address]) -> Result<(), LedgerError>;

    /// Orders with what became of them at each site, newest first, at most `limit`.
    fn orders(&self, limit: u32) -> Result<Vec<(Order, Vec<Errand>)>, LedgerError>;

    /// Orders that sites have not answered, and that can still be sent.
    fn unanswered(&self, now: WallTime) -> Result<Vec<(Address, Order)>, LedgerError>;
}

/// Whose numbers: site and epoch, as the database has them.
pub(super) type Whose = (String, String);

/// One database's rows, inside of a transaction.
pub(super) trait Rows {
    /// The stretches of numbers that have come, in JSON; nobody else changes them before the
    /// transaction ends.
    fn stretches(&mut self, whose: &Whose) -> Result<Option<String>, LedgerError>;
    /// Writes them back.
    fn save(&mut self, whose: &Whose, stretches: &str) -> Result<(), LedgerError>;
    /// Keeps a message; whether it is new.
    fn insert(
        &mut self,
        whose: &Whose,
        letter: &Letter,
        payload: &[u8],
        now: WallTime,
    ) -> Result<bool, LedgerError>;
    /// Name and payload of the message under a number.
    fn first(&mut self, whose: &Whose, number: u64) -> Result<(String, Vec<u8>), LedgerError>;
    /// Keeps how something stands, unless that is how it stood, or a later word is there.
    fn stand(
        &mut self,
        site: &str,
        standing: &Standing,
        payload: &[u8],
        now: WallTime,
    ) -> Result<(), LedgerError>;
    /// Forgets how something stood.
    fn forget(&mut self, site: &str, name: &str) -> Result<(), LedgerError>;
    /// Keeps what a site said of an order, unless it has said so before, or was given none.
    fn answer(
        &mut self,
        site: &str,
        answer: &CommandAnswer,
        now: WallTime,
    ) -> Result<(), LedgerError>;
    /// Puts a message into quarantine, and the oldest ones beyond the bound out of it.
    fn quarantine(
        &mut self,
        topic_and_payload: (&str, &[u8]),
        reason_and_detail: (&str, &str),
        now: WallTime,
    ) -> Result<(), LedgerError>;
}

/// How a site is named in the database.
pub(super) fn path(site: &Address) -> String {
    let Address {
        street,
        building,
        gate,
    } = site;
    format!("{street}/{building}/{gate}")
}

/// The inverse of [`path`].
pub(super) fn site(path: &str) -> Result<Address, LedgerError> {
    let parts: Vec<&str> = path.split('/').collect();
    let address = match parts.as_slice() {
        [street, building, gate] => Address::new(street, building, gate).ok(),
        _ => None,
    };
    address.ok_or_else(|| LedgerError::Site(path.to_owned()))
}

fn whose(site: &Address, epoch: &DeviceEpoch) -> Whose {
    (path(site), epoch.0.clone())
}

/// [`Ledger::take`], between a transaction's beginning and its commit. The answers hold only once it
/// is committed.
pub(super) fn take(
    rows: &mut dyn Rows,
    batch: &[Heard],
    now: WallTime,
) -> Result<Taken, LedgerError> {
    let mail: Vec<Result<Mail, Unfit>> = batch
        .iter()
        .map(|heard| letter::read(&heard.topic, &heard.payload))
        .collect();
    let mut known: BTreeMap<Whose, Numbers> = BTreeMap::new();
    for mail in mail.iter().flatten() {
        let Mail::Letter(letter) = mail else { continue };
        known.entry(whose(&letter.site, &letter.epoch)).or_default();
        if let Some(void) = &letter.void {
            known.entry(whose(&letter.site, &void.epoch)).or_default();
        }
    }
    for (of, numbers) in &mut known {
        if let Some(text) = rows.stretches(of)? {
            let stretches: Vec<(u64, u64)> =
                serde_json::from_str(&text).map_err(|source| unreadable(of, source))?;
            *numbers = Numbers::of(&stretches);
        }
    }
    let mut taken = Taken::default();
    let mut told: BTreeMap<Whose, Letter> = BTreeMap::new();
    for (heard, mail) in batch.iter().zip(mail) {
        let letter = match mail {
            Ok(Mail::Letter(letter)) => letter,
            Ok(Mail::Standing(standing)) => {
                stand(rows, &standing, heard, now)?;
                taken.standing += 1;
                continue;
            }
            Ok(Mail::Refusal { site, answer }) => {
                rows.answer(&path(&site), &answer, now)?;
                taken.standing += 1;
                continue;
            }
            Err(why) => {
                quarantine(rows, heard, &why, now)?;
                taken.unfit += 1;
                continue;
            }
        };
        let Some(new) = keep(rows, &letter, heard, now)? else {
            quarantine(rows, heard, &Unfit::Contradicts, now)?;
            taken.unfit += 1;
            continue;
        };
        taken.new += usize::from(new);
        taken.again += usize::from(!new);
        let own = whose(&letter.site, &letter.epoch);
        if let Some(numbers) = known.get_mut(&own) {
            numbers.add(letter.number, letter.number);
        }
        if let Some(void) = &letter.void
            && let Some(numbers) = known.get_mut(&whose(&letter.site, &void.epoch))
        {
            for (first, last) in &void.stretches {
                numbers.add(*first, last.unwrap_or(u64::MAX));
            }
        }
        if let Some(answer) = &letter.answer {
            rows.answer(&own.0, answer, now)?;
        }
        told.entry(own).or_insert(letter);
    }
    for (of, numbers) in &known {
        if !numbers.stretches().is_empty() {
            let text = serde_json::to_string(numbers.stretches())
                .map_err(|source| unreadable(of, source))?;
            rows.save(of, &text)?;
        }
    }
    let answer = |(own, letter): (Whose, Letter)| {
        let receipt = known.get(&own)?.receipt(&letter.epoch)?;
        Some(Answer {
            site: letter.site,
            receipt,
        })
    };
    taken.answers = told.into_iter().filter_map(answer).collect();
    Ok(taken)
}

fn stand(
    rows: &mut dyn Rows,
    standing: &Standing,
    heard: &Heard,
    now: WallTime,
) -> Result<(), LedgerError> {
    let site = path(&standing.site);
    if standing.gone {
        rows.forget(&site, &standing.name)
    } else {
        rows.stand(&site, standing, &heard.payload, now)
    }
}

fn unreadable(of: &Whose, source: serde_json::Error) -> LedgerError {
    LedgerError::Unreadable {
        site: of.0.clone(),
        source,
    }
}

/// Keeps a message, and says whether it is new; `None` for one that contradicts what came first.
fn keep(
    rows: &mut dyn Rows,
    letter: &Letter,
    heard: &Heard,
    now: WallTime,
) -> Result<Option<bool>, LedgerError> {
    let own = whose(&letter.site, &letter.epoch);
    if rows.insert(&own, letter, &heard.payload, now)? {
        return Ok(Some(true));
    }
    let (name, first) = rows.first(&own, letter.number)?;
    let same = name == letter.name && letter::say_the_same(&first, &heard.payload);
    Ok(same.then_some(false))
}

fn quarantine(
    rows: &mut dyn Rows,
    heard: &Heard,
    why: &Unfit,
    now: WallTime,
) -> Result<(), LedgerError> {
    let beginning = heard.payload.get(..LARGEST).unwrap_or(&heard.payload);
    let topic = shortened(&heard.topic);
    let detail = shortened(&why.to_string());
    rows.quarantine((&topic, beginning), (why.as_str(), &detail), now)
}

/// Somebody else's text, as every database takes it.
fn shortened(text: &str) -> String {
    text.chars()
        .take(LONGEST_TEXT)
        .map(|letter| if letter == '\0' { '\u{fffd}' } else { letter })
        .collect()
}
