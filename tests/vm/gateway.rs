//! The whole gateway as a site runs it, with a camera on a real driver: the film of the door in at
//! the USB plug, faces, an alert, and out at a broker; then the cable is pulled and put back.

use super::camera::Camera;
use super::lab::{Film, Udev};
use super::model::Model;
use super::program::{Program, Subscriber};
use menshen::mqtt::broker::Broker;
use serde_json::Value;
use std::fs;
use std::time::Duration;

/// What became of faults of this kind, in order: raised, cleared.
fn faults(street: &Subscriber, fault: &str) -> Vec<String> {
    let all = street.on("/event/fault").into_iter();
    all.filter(|(_, event)| event["fault"] == fault)
        .map(|(_, event)| event["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "runs in the guest"]
fn a_feverish_visitor_before_a_purethermal_is_told_to_the_street_and_so_is_a_pulled_cable() {
    let _udev = Udev::start(Duration::from_millis(100));
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("broker"))
        .unwrap_or_else(|error| panic!("no broker to test with: {error}"));
    let street = Subscriber::start(broker.port(), "#");
    let (model, film) = (Model::purethermal("door"), Film::door());
    let configuration = format!(
        "[camera]\ndevice = \"{}\"\nrotate_degrees = 90\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n\
         [mqtt]\nenabled = true\nhost = \"127.0.0.1\"\nport = {}\n",
        model.link(),
        broker.port()
    );
    fs::write(folder.path().join("site.toml"), configuration).unwrap();
    let mut gateway = Program::start(folder.path(), &["run", "--config", "site.toml"]);
    let page = gateway.dashboard();
    gateway.wait("the fault of a camera that is not there", |_| {
        (faults(&street, "camera_silent") == ["raised"]).then_some(())
    });

    let camera = Camera::plug(model.clone(), film.unsigned());
    let raised = gateway.wait("the alert over MQTT", |_| {
        street.kind("/event/alert", "raised").pop()
    });
    assert_eq!(raised["verdict"], "possible_fever", "{raised}");
    assert_eq!(raised["basis"], "reference", "{raised}");
    let state = page.json("/api/v1/state");
    println!(
        "the gateway behind a real driver: {} of {} frames, {} a second; {}",
        state["camera"]["frames"],
        camera.sent(),
        state["camera"]["fps"],
        raised
    );
    assert_eq!(faults(&street, "camera_silent"), ["raised", "cleared"]);

    camera.unplug();
    gateway.wait("the fault of a pulled cable", |_| {
        (faults(&street, "camera_silent").len() == 3).then_some(())
    });
    gateway.wait("the word that the picture is old", |_| {
        let camera = &page.json("/api/v1/state")["camera"];
        (camera["stale"] == true && camera["last_frame"] != Value::Null).then_some(())
    });
    assert!(page.get("/").contains("No new picture"));
    let frames = page.json("/api/v1/state")["camera"]["frames"].as_u64();

    let _camera = Camera::plug(model, film.unsigned());
    gateway.wait("the end of the fault", |_| {
        (faults(&street, "camera_silent").len() == 4).then_some(())
    });
    gateway.wait("new frames", |_| {
        let camera = &page.json("/api/v1/state")["camera"];
        (camera["stale"] == false && camera["frames"].as_u64() > frames).then_some(())
    });
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    assert!(!gateway.err().contains("panicked"), "{}", gateway.err());
    println!("its log:\n{}", gateway.err());
}
