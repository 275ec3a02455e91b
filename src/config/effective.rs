//! A [`Config`] as a file again, with every key and what it is for; and what should be looked at
//! before people are screened. Nothing here blocks.

use super::convert::scale_word;
use super::keys::{self, Key, Kind};
use super::{CameraSource, ChecklistConfig, Config, ProfileChoice, StoreConfig, WebConfig, notify};
use crate::camera::Rotation;
use crate::text::Words;
use crate::thermal::reference::ReferenceSettings;
use std::fmt::Write as _;
use std::path::Path;

/// The configuration as a file.
pub(super) fn toml(config: &Config) -> String {
    written(config, |_, value| value)
}

/// The same for whoever helps from far away: numbers, switches and words that are given to choose from. What a
/// person has written is not shown, since it may say who, where or a secret.
pub(super) fn shareable(config: &Config) -> String {
    written(config, |key, value| match key.kind {
        Kind::Switch
        | Kind::Date
        | Kind::Numbers { .. }
        | Kind::Number { .. }
        | Kind::Whole { .. }
        | Kind::Word(_)
        | Kind::Words(_)
        | Kind::Choice(_) => value,
        Kind::Name(_) | Kind::Text(_) | Kind::Path | Kind::Address | Kind::Hosts(_) => {
            quoted("is set, and not shown")
        }
    })
}

fn written(config: &Config, shown: impl Fn(&Key, String) -> String) -> String {
    let mut text = String::new();
    for (number, section) in keys::sections(keys::ALL).into_iter().enumerate() {
        let gap = if number > 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}[{section}]");
        for key in keys::ALL.iter().filter(|key| key.section == section) {
            let line = match value(config, key) {
                Some(value) => format!("{} = {}", key.name, shown(key, value)),
                None => format!("# {} is not set", key.name),
            };
            let _ = writeln!(text, "# {} ({})\n{line}", key.about, key.kind.allowed());
        }
    }
    text
}

/// A key's value as the file writes it; `None` where it is not set or not in use.
pub(super) fn value(config: &Config, key: &Key) -> Option<String> {
    let Config {
        site,
        camera,
        reference,
        room,
        screening,
        alerts,
        notifiers,
        mqtt,
        checklist,
        people,
        web,
        visitor,
        store,
    } = config;
    let source = &camera.source;
    Some(match (key.section, key.name) {
        ("site", "street") => quoted(&site.street),
        ("site", "building") => quoted(&site.building),
        ("site", "gate") => quoted(&site.gate),
        ("site", "name_zh") => quoted(&site.name_zh),
        ("site", "name_en") => quoted(&site.name_en),
        ("camera", "source") => quoted(match source {
            CameraSource::V4l { .. } => "v4l",
            CameraSource::Simulator { .. } => "simulator",
            CameraSource::Recording { .. } => "recording",
        }),
        ("camera", "device") => match source {
            CameraSource::V4l { device } => path(device.as_ref()?),
            _ => return None,
        },
        ("camera", "recording") => match source {
            CameraSource::Recording { file } => path(file),
            _ => return None,
        },
        ("camera", "scenario") => match source {
            CameraSource::Simulator { scenario } => quoted(scenario),
            _ => return None,
        },
        ("camera", "width") => camera.width?.to_string(),
        ("camera", "height") => camera.height?.to_string(),
        ("camera", "fps") => number(camera.fps?),
        ("camera", "shutter") => quoted(if camera.shutter_by_hand {
            "gateway"
        } else {
            "camera"
        }),
        ("camera", "rotate_degrees") => degrees(camera.rotation).to_string(),
        ("camera", "profile") => match &camera.profile {
            ProfileChoice::BuiltIn(name) => quoted(name),
            ProfileChoice::File(file) => path(file),
        },
        ("camera", "scale") => quoted(scale_word(camera.scale?)),
        ("camera", "silent_after_s") => number(camera.silent_after.as_secs_f64()),
        ("reference", "present") => reference.is_some().to_string(),
        ("reference", "distance_m") => number(reference.as_ref()?.distance_m?),
        ("reference", "second_set_point_c") => {
            number(reference.as_ref()?.second_set_point?.degrees())
        }
        ("reference", name) => reference_value(reference.as_ref()?, name)?,
        ("room", "ambient_c") => number(room.ambient?.degrees()),
        ("room", "ambient_uncertainty_k") => number(room.u.kelvin()),
        ("room", "humidity_percent") => number(room.humidity_percent),
        ("room", "reflected_c") => number(room.reflected?.degrees()),
        ("screening", "attention_c") => number(screening.attention.degrees()),
        ("screening", "fever_c") if screening.target_specificity.is_some() => return None,
        ("screening", "fever_c") => number(screening.fever.degrees()),
        ("screening", "target_specificity") => number(screening.target_specificity?),
        ("screening", "min_looks") => screening.min_looks.to_string(),
        ("screening", "min_face_px") => screening.min_face_px.to_string(),
        ("alerts", name) => notify::alerts_value(alerts, name)?,
        (section, name) if section.starts_with("notify_") => {
            notify::notifier_value(notifiers, section, name)?
        }
        ("mqtt", "enabled") => mqtt.enabled.to_string(),
        ("mqtt", "host") => quoted(&mqtt.host),
        ("mqtt", "port") => mqtt.port.to_string(),
        ("mqtt", "client_id") => quoted(&mqtt.client_id),
        ("mqtt", "username") => quoted(mqtt.username.as_ref()?),
        ("mqtt", "password_file") => path(mqtt.password_file.as_ref()?),
        ("mqtt", "keep_alive_s") => mqtt.keep_alive.as_secs().to_string(),
        ("mqtt", "tls") => mqtt.tls.is_some().to_string(),
        ("mqtt", "ca_file") => path(&mqtt.tls.as_ref()?.ca_file),
        ("mqtt", "certificate_file") => path(&mqtt.tls.as_ref()?.own.as_ref()?.0),
        ("mqtt", "key_file") => path(&mqtt.tls.as_ref()?.own.as_ref()?.1),
        ("mqtt", "street_receipts") => mqtt.street_receipts.to_string(),
        ("mqtt", "home_assistant") => mqtt.home_assistant.to_string(),
        ("mqtt", "commands") => {
            let words: Vec<_> = mqtt.commands.iter().map(|it| quoted(it.as_str())).collect();
            format!("[{}]", words.join(", "))
        }
        ("checklist", name) => checklist_value(checklist, name)?,
        ("people", "key_file") => path(people.key_file.as_ref()?),
        ("people", "rules") => path(people.rules.as_ref()?),
        ("web", name) => web_value(web, name)?,
        ("visitor", "sound") => visitor.sound.to_string(),
        ("store", name) => store_value(store, name)?,
        _ => return None,
    })
}

fn checklist_value(checklist: &ChecklistConfig, name: &str) -> Option<String> {
    Some(match name {
        "site" => quoted(checklist.site.as_str()),
        "file" => path(checklist.file.as_ref()?),
        "report_at" => quoted(&checklist.report_at.to_string()),
        _ => return None,
    })
}

fn web_value(web: &WebConfig, name: &str) -> Option<String> {
    Some(match name {
        "listen" => quoted(&web.listen.to_string()),
        "address" => quoted(web.address.as_ref()?),
        "names" if web.names.is_empty() => return None,
        "names" => {
            let names: Vec<_> = web.names.iter().map(|it| quoted(it)).collect();
            format!("[{}]", names.join(", "))
        }
        "certificate_file" => path(&web.certificate.as_ref()?.0),
        "key_file" => path(&web.certificate.as_ref()?.1),
        "metrics_token_file" => path(web.metrics_token_file.as_ref()?),
        _ => return None,
    })
}

fn store_value(store: &StoreConfig, name: &str) -> Option<String> {
    let upkeep = &store.upkeep;
    let whole = match name {
        "folder" => return Some(path(&store.folder)),
        "backup_folder" => return Some(path(upkeep.backup_folder.as_ref()?)),
        "backups_kept" => upkeep.backups_kept.into(),
        "backup_hour" => upkeep.backup_hour.into(),
        "keep_clear_days" => upkeep.keep_clear_days.into(),
        "keep_events_days" => upkeep.keep_events_days.into(),
        "keep_messages_days" => upkeep.keep_messages_days.into(),
        "keep_audit_days" => upkeep.keep_audit_days.into(),
        "outbox_messages" => upkeep.outbox_messages,
        "outbox_mib" => upkeep.outbox_bytes >> 20,
        "disk_floor_mib" => upkeep.disk_floor >> 20,
        _ => return None,
    };
    Some(whole.to_string())
}

fn reference_value(reference: &ReferenceSettings, name: &str) -> Option<String> {
    Some(number(match name {
        "set_point_c" => reference.set_point.degrees(),
        "emissivity" => reference.emissivity.value(),
        "set_point_uncertainty_k" => reference.u_set_point.kelvin(),
        _ => return None,
    }))
}

const fn degrees(rotation: Rotation) -> u16 {
    match rotation {
        Rotation::None => 0,
        Rotation::Clockwise90 => 90,
        Rotation::Half => 180,
        Rotation::Clockwise270 => 270,
    }
}

/// The shortest decimal that reads back as the same number, always with a point.
pub(super) fn number(value: f64) -> String {
    format!("{value:?}")
}

pub(super) fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Between two blackbodies this should lie, °C: the warmest skin of faces has 34 to 38.
const FACES_C: f64 = 36.0;

/// Whether a camera is named by a number that it need not keep.
fn by_number(source: &CameraSource) -> bool {
    let CameraSource::V4l { device: Some(path) } = source else {
        return false;
    };
    let rest = path
        .to_str()
        .and_then(|path| path.strip_prefix("/dev/video"));
    rest.is_some_and(|number| number.parse::<u32>().is_ok())
}

/// What should be looked at.
pub(super) fn warnings(config: &Config) -> Vec<Words> {
    let mut found = Vec::new();
    let mut note = |applies: bool, zh: &str, en: &str| {
        if applies {
            let (zh, en) = (zh.to_owned(), en.to_owned());
            found.push(Words { zh, en });
        }
    };
    let mqtt = &config.mqtt;
    let here = matches!(mqtt.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    note(
        config.reference.is_none(),
        "画面里没有黑体（相对模式）：一小时内见过 100 人之前不判断任何人，此后只与他们比较，把握更小、误报更多。请把黑体放进画面，并在 [reference] 写 present = true。",
        "no reference in view (relative mode): nobody is judged before 100 people were seen within an \
         hour, then only by the difference to them, with more doubt and more false alarms. Put a \
         blackbody into the picture and set present = true in [reference].",
    );
    let both = config.reference.and_then(|it| it.both());
    note(
        both.is_some_and(|[low, high]| low.degrees() > FACES_C || high.degrees() < FACES_C),
        "两个黑体都比人脸热，或都比人脸冷：人脸温度落在二者之外，测得不够准。请在 [reference] 把一个设为 33，另一个设为 39 左右。",
        "both blackbodies are warmer than faces, or both are colder: what is measured beside them and not \
         between them is less sure. Set one to 33 and the other to 39 in [reference], or so.",
    );
    note(
        config.room.ambient.is_none(),
        "室温取自画面；在门口放一支温度计，并填 [room] 的 ambient_c，估计更准。",
        "the room's temperature is taken from the picture; a thermometer near the gate and \
         ambient_c in [room] make the estimate better.",
    );
    note(
        !matches!(config.camera.source, CameraSource::V4l { .. }),
        "画面来源不是相机：门口的人没有被测量。",
        "the source of frames is no camera: nobody at the gate is measured.",
    );
    note(
        by_number(&config.camera.source),
        "相机以编号（/dev/videoN）命名，重新插拔后可能变成另一台：请不填 device，或填 /dev/v4l/by-id 下的名字。",
        "the camera is named by its number (/dev/videoN), which may be another one after it was \
         plugged in again: leave device away, or name its link under /dev/v4l/by-id.",
    );
    note(
        !mqtt.enabled,
        "没有配置 MQTT 服务器：事件只保存和显示在本机。",
        "no broker is configured: events are kept here and shown here only.",
    );
    note(
        mqtt.enabled && !here && mqtt.tls.is_none(),
        "事件发往另一台机器而没有 TLS：请在 [mqtt] 写 tls = true。",
        "events go to another machine without TLS: write tls = true in [mqtt].",
    );
    note(
        mqtt.enabled && !mqtt.street_receipts,
        "街道没有回执（[mqtt] 的 street_receipts）：MQTT 服务器收下后丢失的，就丢失了。",
        "no collector of the street acknowledges (street_receipts in [mqtt]): what the broker \
         accepts and loses is lost.",
    );
    let own = mqtt.tls.as_ref().is_some_and(|tls| tls.own.is_some());
    note(
        mqtt.enabled && mqtt.username.is_none() && !own,
        "登录 MQTT 服务器没有用户名和密码：能连上它的任何人都能发警报。",
        "the broker is used without a name and a password: anybody who reaches it can send alerts.",
    );
    note(
        mqtt.enabled && (config.site.street == "street" || config.site.building == "building"),
        "[site] 还是默认代号：同一服务器上两栋这样的楼无法区分。",
        "[site] still has its default names: two such buildings cannot be told apart at one broker.",
    );
    note(
        config.store.upkeep.backups_kept == 0,
        "不做数据库备份：存储卡一坏，数据就没有了。",
        "no copies of the database are made: what is on a card that dies is lost.",
    );
    note(
        config.screening.min_looks < 3,
        "min_looks 小于 3：非制冷相机单帧噪声有零点几度。",
        "min_looks is below 3: single frames of an uncooled camera are noisy by several tenths.",
    );
    found
}
