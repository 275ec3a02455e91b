//! What is signed and edited at the desk: the pledge, the procedure, and the steps of its emergency clause.

use super::super::logbook::{Line, LineKind, NewLine, Search, Written};
use super::super::site::Pledge;
use super::{Desk, DeskError};
use crate::clock::Stamp;
use crate::id::AlertId;
use crate::procedure::{Edit, Editions, EmergencyLog, StepId};
use crate::text::Note;

impl Desk {
    /// Signs for the list.
    ///
    /// # Errors
    /// [`DeskError::Unowned`].
    pub fn pledge(&self, by: Note, now: Stamp) -> Result<(), DeskError> {
        let date = self.today(now)?;
        let pledge = Pledge::sign(&self.list, by, now).map_err(DeskError::Unowned)?;
        let version = pledge.version;
        self.logbook
            .write(&Search::kind(LineKind::Pledged), &mut |_| {
                vec![NewLine {
                    date,
                    by: Some(pledge.by.clone()),
                    at: now,
                    line: Line::Pledged { version },
                }]
            })?;
        Ok(())
    }

    /// Every signature, oldest first.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn pledges(&self) -> Result<Vec<Pledge>, DeskError> {
        let lines = self.logbook.lines(&Search::kind(LineKind::Pledged))?;
        let pledge = |it: Written| match (it.line, it.by) {
            (Line::Pledged { version }, Some(by)) => Some(Pledge {
                by,
                at: it.at,
                version,
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
        let date = self.today(now)?;
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

    /// What was done at an alert by the emergency clause.
    ///
    /// # Errors
    /// Where the logbook cannot be read.
    pub fn emergency(&self, alert: AlertId) -> Result<EmergencyLog, DeskError> {
        let editions = self.editions()?;
        let lines = self.logbook.lines(&Search {
            subject: Some(alert.to_string()),
            ..Search::kind(LineKind::StepTaken)
        })?;
        Ok(emergency_of(&editions, alert, &lines))
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
        let date = self.today(now)?;
        let editions = self.editions()?;
        let search = Search {
            subject: Some(alert.to_string()),
            ..Search::kind(LineKind::StepTaken)
        };
        let mut done = Ok(());
        self.logbook.write(&search, &mut |lines| {
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
