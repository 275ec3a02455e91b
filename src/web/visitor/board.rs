//! What the visitor screen says, decided from what the gateway knows: a pure state machine.
//!
//! - **Never green without evidence.** [`Cue::Clear`] is said of nobody but a person in the newest picture
//!   (or one that was missed for no longer than [`FLICKER`]) of whom there is a reading that came to
//!   *clear*, while pictures come, may be judged, and no fault says otherwise. A property test holds it.
//! - **Nothing of a verdict is told to others.** Possible fever and retest look the same: go to staff.
//!   No temperature, no picture, no name comes this far.
//! - **Everybody is told.** Each of up to [`MOST`] people who stand before the camera has a place of
//!   their own, in the order in which they stand, as in a mirror. Who passes far behind is no visitor
//!   while somebody stands near. More than that, and they are asked to come one at a time.
//! - **What matters stays long enough to be read.** Go to staff stays for [`LINGER`] after its person
//!   has turned away; green never does. An instruction stays for [`STEADY`] before another one takes its
//!   place, for what a face lacks may differ from picture to picture; a verdict comes at once.

use crate::clock::Stamp;
use crate::event::Fault;
use crate::id::TrackId;
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::thermal::FrameHealth;
use crate::web::page::is_stale;
use crate::web::state::{GatewayStatus, LiveFrame, LivePerson, PersonState, PopulationStatus};
use std::time::Duration;

/// People who have a place of their own: a third of the screen holds two Han characters of a size that is
/// read at 4 m.
const MOST: usize = 3;

/// A face that the detector missed for so long is still there: as in [`track`](crate::track).
const FLICKER: Duration = Duration::from_millis(700);

/// How long it stays that somebody goes to staff.
const LINGER: Duration = Duration::from_secs(4);

/// How long an instruction stays at least: about what three words take to be read.
const STEADY: Duration = Duration::from_millis(800);

/// Two faces nearer to each other than this share of the picture stand at one place.
const ONE_PLACE: f32 = 0.12;

/// What one person is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cue {
    /// Too far away.
    Closer,
    /// At the picture's edge.
    Middle,
    /// Looks away.
    Look,
    /// Wears glasses.
    Glasses,
    /// Is being measured: good looks so far, and how many are needed.
    Hold(u32, u32),
    /// Is being looked at, but nothing may be measured at this moment.
    Wait,
    /// Measured, and no fever seen.
    Clear,
    /// Staff measure again.
    Staff,
    /// Just in from the cold: wait indoors.
    Indoors,
    /// Cannot be measured here, and why.
    Cannot(Obstacle),
}

impl Cue {
    /// Whether the person is to do something, and has no verdict yet.
    const fn is_instruction(self) -> bool {
        !matches!(
            self,
            Self::Clear | Self::Staff | Self::Indoors | Self::Cannot(_)
        )
    }
}

/// One person on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Which.
    pub track: TrackId,
    /// Where they stand, 0 at the left to 1 at the right of whoever looks at the screen.
    pub place: f32,
    /// What they are told.
    pub cue: Cue,
}

/// What the whole screen says.
#[derive(Clone, Debug, PartialEq)]
pub enum Screen {
    /// Nobody is judged: why.
    Out(Why),
    /// The shutter, or a hand before the reference.
    Wait,
    /// Nobody is there; in relative mode, while nobody is judged yet, how many were measured.
    Rest(Option<PopulationStatus>),
    /// These are there; whether there are more of them than places.
    People(Vec<Figure>, bool),
}

/// Why nobody is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No picture comes.
    NoPicture,
    /// Something must be mended.
    Fault(Fault),
}

/// What is remembered from picture to picture.
#[derive(Clone, Debug, Default)]
pub struct Board {
    shown: Vec<Shown>,
}

#[derive(Clone, Copy, Debug)]
struct Shown {
    figure: Figure,
    /// When the person was last in a picture.
    seen: Stamp,
    /// Since when this is said.
    said: Stamp,
}

/// What an obstacle that a person can do something about asks of them.
const fn ask(obstacle: Obstacle) -> Option<Cue> {
    match obstacle {
        Obstacle::TooFar => Some(Cue::Closer),
        Obstacle::Cut => Some(Cue::Middle),
        Obstacle::Turned => Some(Cue::Look),
        Obstacle::Glasses => Some(Cue::Glasses),
        Obstacle::ReferenceLost | Obstacle::Settling => Some(Cue::Wait),
        Obstacle::TooFewLooks
        | Obstacle::LearningPopulation
        | Obstacle::TooCold
        | Obstacle::TooHot
        | Obstacle::RoomOutOfRange
        | Obstacle::CalibrationExpired => None,
    }
}

/// What this person is told, in a picture that may be judged or not.
fn cue(person: &LivePerson, judging: bool) -> Cue {
    let now = person.obstacle.and_then(ask);
    match person.state {
        PersonState::Judged(Verdict::Retest(RetestReason::JustIn)) => Cue::Indoors,
        PersonState::Judged(Verdict::PossibleFever | Verdict::Retest(_)) => Cue::Staff,
        PersonState::Judged(Verdict::Clear) if judging && person.value.is_some() => Cue::Clear,
        PersonState::Judged(Verdict::Clear) => Cue::Wait,
        PersonState::Judged(Verdict::CannotJudge(why)) => {
            now.or(ask(why)).unwrap_or(Cue::Cannot(why))
        }
        PersonState::Looking { looks, needed } => now.unwrap_or(Cue::Hold(looks, needed)),
    }
}

fn figure(frame: &LiveFrame, person: &LivePerson) -> Figure {
    let centre = person.area.centre().x / (frame.width.max(1) as f32);
    Figure {
        track: person.track,
        place: (1.0 - centre).clamp(0.0, 1.0),
        cue: cue(person, frame.judging),
    }
}

impl Board {
    /// What the screen says now.
    pub fn step(
        &mut self,
        status: &GatewayStatus,
        frame: Option<&LiveFrame>,
        now: &Stamp,
    ) -> Screen {
        let fault = status.faults.iter().find(|it| it.fault.stops_judging());
        if let Some(fault) = fault {
            return self.nobody(Screen::Out(Why::Fault(fault.fault)));
        }
        let Some(frame) = frame.filter(|frame| !is_stale(Some(&frame.at), now)) else {
            return self.nobody(Screen::Out(Why::NoPicture));
        };
        // In relative mode people are measured before anybody can be judged.
        if !frame.judging && frame.health != FrameHealth::NoReference {
            return self.nobody(Screen::Wait);
        }
        self.see(frame, now);
        if self.shown.is_empty() {
            let learning = status.population().filter(|it| it.fever_k.is_none());
            return Screen::Rest(learning);
        }
        self.people()
    }

    fn nobody(&mut self, screen: Screen) -> Screen {
        self.shown.clear();
        screen
    }

    /// Takes over who is in this picture; who is not stays for a moment, unless somebody else stands there.
    fn see(&mut self, frame: &LiveFrame, now: &Stamp) {
        let people = frame.people.iter();
        let here: Vec<Shown> = people
            .map(|person| self.steadied(figure(frame, person), frame.at, now))
            .collect();
        let stays = |old: &Shown| {
            let limit = match old.figure.cue {
                Cue::Staff | Cue::Indoors => LINGER,
                _ => FLICKER,
            };
            let is_taken = here.iter().any(|new| {
                new.figure.track == old.figure.track
                    || (new.figure.place - old.figure.place).abs() < ONE_PLACE
            });
            !is_taken && now.since(&old.seen).is_some_and(|gone| gone <= limit)
        };
        self.shown.retain(stays);
        self.shown.extend(here);
    }

    /// This person, who goes on being told an instruction that has only just been given.
    fn steadied(&self, mut figure: Figure, seen: Stamp, now: &Stamp) -> Shown {
        let mut said = *now;
        let before = self.shown.iter().find(|it| it.figure.track == figure.track);
        if let Some(old) = before {
            let (was, is) = (old.figure.cue, figure.cue);
            let is_same = std::mem::discriminant(&was) == std::mem::discriminant(&is);
            let is_new = now.since(&old.said).is_some_and(|it| it < STEADY);
            if is_same {
                said = old.said;
            } else if was.is_instruction() && is.is_instruction() && is_new {
                said = old.said;
                figure.cue = was;
            }
        }
        Shown { figure, seen, said }
    }

    /// Who has a place: those who stand near before those who pass, and of too many those who are sent to
    /// staff, then those who came first.
    fn people(&self) -> Screen {
        let mut figures: Vec<Figure> = self.shown.iter().map(|it| it.figure).collect();
        let is_near = |it: &Figure| it.cue != Cue::Closer;
        if figures.iter().any(is_near) {
            figures.retain(is_near);
        }
        figures.sort_by_key(|it| (it.cue != Cue::Staff, it.track));
        let crowd = figures.len() > MOST && figures.iter().any(is_near);
        // Of those who are all far away, the first is asked to come.
        figures.truncate(if figures.iter().any(is_near) { MOST } else { 1 });
        figures.sort_by(|a, b| a.place.total_cmp(&b.place));
        Screen::People(figures, crowd)
    }
}

#[cfg(test)]
mod tests;
