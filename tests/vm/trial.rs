//! Not a test: a camera for the trial of an installation (`trial.sh`), plugged in until its process ends.

use super::camera::Camera;
use super::lab::Film;
use super::model::Model;
use std::thread;
use std::time::Duration;

#[test]
#[ignore = "a camera for trial.sh, which stays plugged in"]
fn a_camera_stays_plugged_in() {
    let _camera = Camera::plug(Model::purethermal("door"), Film::door().unsigned());
    println!("plugged in");
    loop {
        thread::sleep(Duration::from_hours(1));
    }
}

#[test]
#[ignore = "the films of that camera, for trial.sh"]
fn films_are_made() {
    super::lab::make_films();
}
