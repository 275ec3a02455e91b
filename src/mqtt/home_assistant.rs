//! What Home Assistant needs to know of a gate: one device with its entities, in one retained
//! message ("device discovery", Home Assistant 2024.11 and later).
//!
//! From Home Assistant's documentation, <https://www.home-assistant.io/integrations/mqtt/>: the topic
//! is `<prefix>/device/<id>/config`; `dev` and `o` must be there; each entity stands below `cmps` with
//! its platform `p` and a `unique_id`; topics, availability and `qos` may be shared by all; Home
//! Assistant says `online` at `homeassistant/status` when it starts, whereupon devices should say
//! everything again, after a wait by chance where there are many; an empty retained payload removes
//! the device.

use super::payload::bytes;
use super::topic::{Address, Topic};
use crate::event::Fault;
use crate::journal::{Keep, OutboxMessage};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Gateways answer a start of Home Assistant spread over this time, not all in one second.
const SPREAD: Duration = Duration::from_secs(10);

/// The faults that are an entity each, with their names.
const PROBLEMS: [(&str, &str, &[Fault]); 4] = [
    (
        "camera",
        "Camera",
        &[Fault::CameraSilent, Fault::CameraFrozen, Fault::CameraBlank],
    ),
    (
        "reference",
        "Reference",
        &[Fault::ReferenceLost, Fault::SelfCheckFailed],
    ),
    (
        "calibration",
        "Calibration",
        &[Fault::CalibrationDue, Fault::CalibrationExpired],
    ),
    (
        "disk",
        "Disk",
        &[Fault::StoreFailing, Fault::DiskLow, Fault::DatabaseSalvaged],
    ),
];

/// How long to wait before answering a start of Home Assistant. `chance` is in 0…1.
pub(super) fn wait(chance: f64) -> Duration {
    SPREAD.mul_f64(chance.clamp(0.0, 1.0))
}

/// The device and its entities.
pub(super) fn discovery(address: &Address, version: &str) -> OutboxMessage {
    let id = address.home_assistant_id();
    let alerts = Topic::alerts_state(address).to_string();
    let faults = Topic::faults_state(address).to_string();
    let status = Topic::gateway_status(address).to_string();
    let unique = |name: &str| format!("{id}__{name}");
    let mut entities = Map::new();
    entities.insert(
        "open_alerts".to_owned(),
        json!({
            "p": "sensor", "unique_id": unique("open_alerts"), "name": "Open alerts",
            "state_topic": alerts, "value_template": "{{ value_json.open }}",
            "state_class": "measurement", "icon": "mdi:thermometer-alert",
        }),
    );
    entities.insert(
        "alert".to_owned(),
        json!({
            "p": "binary_sensor", "unique_id": unique("alert"), "name": "Fever alert",
            "state_topic": alerts, "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.open > 0 else 'OFF' }}",
        }),
    );
    entities.insert(
        "connectivity".to_owned(),
        json!({
            "p": "binary_sensor", "unique_id": unique("connectivity"), "name": "Gateway",
            "state_topic": status, "device_class": "connectivity",
            "entity_category": "diagnostic",
            "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
            // This one must be there to say that the gateway is not.
            "availability": [],
        }),
    );
    for (name, words, causes) in PROBLEMS {
        let causes: Vec<&str> = causes.iter().map(|fault| fault.as_str()).collect();
        let among = format!(
            "{{{{ 'ON' if value_json.standing | select('in', {}) | list else 'OFF' }}}}",
            json!(causes)
        );
        entities.insert(
            format!("problem_{name}"),
            json!({
                "p": "binary_sensor", "unique_id": unique(&format!("problem_{name}")),
                "name": words, "state_topic": faults, "device_class": "problem",
                "entity_category": "diagnostic", "value_template": among,
            }),
        );
    }
    let gate = &address.gate;
    let payload = json!({
        "dev": {
            "ids": [id], "name": format!("Menshen {}", gate.as_str()),
            "mf": "Menshen", "mdl": "Fever screening gateway", "sw": version,
            "sa": address.building.as_str(),
        },
        "o": { "name": "menshen", "sw": version },
        "cmps": Value::Object(entities),
        "availability": [{
            "topic": status,
            // A planned stop is told apart from a death elsewhere; here both are "not there".
            "value_template": "{{ 'online' if value_json.state == 'online' else 'offline' }}",
        }],
        "qos": 1,
    });
    OutboxMessage {
        topic: address.home_assistant(),
        payload: bytes(&payload),
        retain: true,
        keep: Keep::Always,
    }
}

/// What makes Home Assistant forget the device.
pub(super) fn farewell(address: &Address) -> OutboxMessage {
    OutboxMessage {
        topic: address.home_assistant(),
        payload: Vec::new(),
        retain: true,
        keep: Keep::Always,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_what_home_assistant_asks_for() {
        let address = Address::new("dongfang", "no-12", "main").unwrap();
        let message = discovery(&address, "0.1.0");
        assert!(message.retain);
        assert!(message.payload.len() < 8192, "{}", message.payload.len());
        let device: Value = serde_json::from_slice(&message.payload).unwrap();
        assert!(device["dev"]["ids"][0].is_string() && device["o"]["name"].is_string());
        let entities = device["cmps"].as_object().unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for (name, entity) in entities {
            assert!(entity["p"].is_string(), "{name}");
            assert!(ids.insert(entity["unique_id"].as_str().unwrap()), "{name}");
            let topic: Topic = entity["state_topic"].as_str().unwrap().parse().unwrap();
            assert!(topic.class.retained(), "{name}: a late joiner must see it");
            assert!(entity["value_template"].is_string(), "{name}");
        }
        insta::assert_json_snapshot!(device["cmps"]["problem_camera"]["value_template"], @r#""{{ 'ON' if value_json.standing | select('in', [\"camera_silent\",\"camera_frozen\",\"camera_blank\"]) | list else 'OFF' }}""#);
        assert_eq!(farewell(&address).topic, message.topic);
        assert!(farewell(&address).payload.is_empty());
    }
}
