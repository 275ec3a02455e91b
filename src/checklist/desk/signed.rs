//! What is signed and edited at the desk: the pledge, the procedure, and the steps of its emergency clause.

use super::super::logbook::{Line, LineKind, NewLine, Search, Written};
use super::super::site::{Charge, Pledge, SiteList};
use super::super::tick::TickRefused;
use super::{Desk, DeskError};
use crate::clock::Stamp;
use crate::id::AlertId;
use crate::procedure::{Edit, Editions, EmergencyLog, StepId};
use crate::text::Note;

impl Desk {
    /// The site's list with its owners as they are now: those of its file, and over them whom people named
    /// since.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn owned_list(&self) -> Result<SiteList, DeskError> {
        let named = self.logbook.lines(&Search::kind(LineKind::Named))?;
        Ok(self.owned_list_of(named))
    }

    fn owned_list_of(&self, named: impl IntoIterator<Item = Written>) -> SiteList {
        let mut owners = self.list.owners().clone();
        for written in named {
            if let Line::Named { charge, owner } = written.line {
                owners.name(charge, owner);
            }
        }
        SiteList::clone(&self.list).owned_by(owners)
    }

    /// Names who answers for something from here on; `None`: nobody by name.
    ///
    /// # Errors
    /// Where the list has no such item.
    pub fn name_owner(
        &self,
        charge: Charge,
        owner: Option<Note>,
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        if let Charge::Item(id) = &charge
            && self.list.item(id).is_none()
        {
            return Err(DeskError::Tick(TickRefused::UnknownItem(id.clone())));
        }
        let new = NewLine {
            date: self.today(now)?,
            by: Some(by.clone()),
            at: now,
            line: Line::Named { charge, owner },
        };
        let known = Search::kind(LineKind::Named);
        self.logbook.write(&known, &mut |_| vec![new.clone()])?;
        Ok(())
    }

    /// Signs for the list.
    ///
    /// # Errors
    /// [`DeskError::Unowned`].
    pub fn pledge(&self, by: &Note, now: Stamp) -> Result<(), DeskError> {
        let date = self.today(now)?;
        let mut done = Ok(());
        let named = Search::kind(LineKind::Named);
        self.logbook.write(&named, &mut |lines| {
            let list = self.owned_list_of(lines.iter().cloned());
            match Pledge::sign(&list, by.clone(), now) {
                Ok(Pledge {
                    version, owners, ..
                }) => vec![NewLine {
                    date,
                    by: Some(by.clone()),
                    at: now,
                    line: Line::Pledged { version, owners },
                }],
                Err(unowned) => {
                    done = Err(DeskError::Unowned(unowned));
                    Vec::new()
                }
            }
        })?;
        done
    }

    /// Every signature, oldest first.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn pledges(&self) -> Result<Vec<Pledge>, DeskError> {
        let lines = self.logbook.lines(&Search::kind(LineKind::Pledged))?;
        let pledge = |it: Written| match (it.line, it.by) {
            (Line::Pledged { version, owners }, Some(by)) => Some(Pledge {
                by,
                at: it.at,
                version,
                owners,
            }),
            _ => None,
        };
        Ok(lines.into_iter().filter_map(pledge).collect())
    }

    /// Every edition of the procedure.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn editions(&self) -> Result<Editions, DeskError> {
        let lines = self.logbook.lines(&Search::kind(LineKind::Edited))?;
        Ok(self.editions_of(&lines))
    }

    fn editions_of(&self, lines: &[Written]) -> Editions {
        let mut editions = Editions::of(self.shipped.clone());
        for written in lines {
            if let (Line::Edited { on, edit }, Some(by)) = (&written.line, &written.by) {
                // Who wrote the line asked first.
                let _ = editions.edit(*on, edit.clone(), by.clone(), written.at);
            }
        }
        editions
    }

    /// Makes the next edition of the procedure.
    ///
    /// # Errors
    /// [`DeskError::Edit`].
    pub fn edit(&self, on: u32, edit: &Edit, by: &Note, now: Stamp) -> Result<u32, DeskError> {
        let date = self.any_day(now)?;
        let mut done = Err(DeskError::NoDay);
        self.logbook
            .write(&Search::kind(LineKind::Edited), &mut |lines| {
                let mut editions = self.editions_of(lines);
                done = editions
                    .edit(on, edit.clone(), by.clone(), now)
                    .map_err(DeskError::Edit);
                let line = Line::Edited {
                    on,
                    edit: edit.clone(),
                };
                let new = NewLine {
                    date,
                    by: Some(by.clone()),
                    at: now,
                    line,
                };
                if done.is_ok() { vec![new] } else { Vec::new() }
            })?;
        done
    }

    /// What was done at each of these alerts by the emergency clause.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn emergencies(&self, alerts: &[AlertId]) -> Result<Vec<EmergencyLog>, DeskError> {
        let editions = self.editions()?;
        let of = |alert: &AlertId| {
            let lines = self.logbook.lines(&steps_at(*alert))?;
            Ok(emergency_of(&editions, *alert, &lines))
        };
        alerts.iter().map(of).collect()
    }

    /// Takes a step of the emergency clause at an alert.
    ///
    /// # Errors
    /// [`DeskError::Step`].
    pub fn take_step(
        &self,
        alert: AlertId,
        step: &StepId,
        by: &Note,
        now: Stamp,
    ) -> Result<(), DeskError> {
        let date = self.any_day(now)?;
        let editions = self.editions()?;
        let mut done = Ok(());
        self.logbook.write(&steps_at(alert), &mut |lines| {
            let mut log = emergency_of(&editions, alert, lines);
            let before = log.taken().len();
            done = log.take(step, by.clone(), now).map_err(DeskError::Step);
            if log.taken().len() == before {
                return Vec::new();
            }
            let line = Line::StepTaken {
                alert,
                edition: log.edition,
                step: step.clone(),
            };
            vec![NewLine {
                date,
                by: Some(by.clone()),
                at: now,
                line,
            }]
        })?;
        done
    }
}

/// The steps that were taken at an alert.
fn steps_at(alert: AlertId) -> Search {
    Search {
        subject: Some(alert.to_string()),
        ..Search::kind(LineKind::StepTaken)
    }
}

/// The steps of one alert. The first that is taken fixes the edition.
fn emergency_of(editions: &Editions, alert: AlertId, lines: &[Written]) -> EmergencyLog {
    let edition = lines.iter().find_map(|it| match it.line {
        Line::StepTaken { edition, .. } => Some(edition),
        _ => None,
    });
    let edition = edition.and_then(|number| editions.all().find(|it| it.number == number));
    let mut log = EmergencyLog::begin(alert, edition.unwrap_or_else(|| editions.newest()));
    for written in lines {
        if let (Line::StepTaken { step, .. }, Some(by)) = (&written.line, &written.by) {
            // Who wrote the line asked first.
            let _ = log.take(step, by.clone(), written.at);
        }
    }
    log
}
