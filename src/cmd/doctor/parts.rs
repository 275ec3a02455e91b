//! The gateway's own parts: configuration, secrets, face model, camera, database, broker.

use super::words::{Check, Finding};
use crate::camera::{Camera, CameraError};
use crate::clock::{BootId, Clock, SystemClock};
use crate::cmd::in_words;
use crate::config::{Config, ConfigError};
use crate::detect::OnnxDetector;
use crate::mqtt::probe::{self, Rights};
use crate::pipeline::gateway::{account, address, radiometer_settings};
use crate::pipeline::source::{camera_profile, open_camera};
use crate::store;
use crate::thermal::{FrameHealth, Radiometer, RawFrame};
use crate::web::tls;
use crate::web::words::InWords as _;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// How long frames are counted.
const COUNTED_FOR: Duration = Duration::from_secs(3);

/// How long the blackbody may take to be found: a Lepton's shutter and what settles after it.
const REFERENCE_WITHIN: Duration = Duration::from_secs(12);

/// Less than this share of the announced frame rate is too little.
const ENOUGH_FRAMES: f64 = 0.8;

/// How long the page may take.
const PAGE_WITHIN: Duration = Duration::from_secs(5);

/// The configuration cannot be used.
pub(super) fn configuration(error: &ConfigError) -> Finding {
    Finding::wrong(
        Check::Configuration,
        &format!("配置不可用\n{error}"),
        &format!("It cannot be used\n{error}"),
    )
    .todo(
        "按上面的提示改正，再运行 menshen check",
        "Correct it as the hints say, then run menshen check",
    )
}

/// The files with passwords and addresses.
pub(super) fn secrets(config: &Config) -> Finding {
    if let Err(error) = config.mqtt.password() {
        return Finding::error(Check::Secrets, "读不出", &error);
    }
    for notifier in &config.notifiers {
        if let Err(error) = notifier.endpoint() {
            return Finding::error(Check::Secrets, "读不出", &error);
        }
    }
    let warnings = [config.mqtt.password_warning(), config.web.key_warning()];
    if let Some(warning) = warnings.into_iter().flatten().next() {
        return Finding::look(Check::Secrets, &format!("他人可读：{warning}"), &warning)
            .todo("chmod 0600 该文件", "chmod 0600 that file");
    }
    Finding::well(
        Check::Secrets,
        "可读，仅限本用户",
        "Readable, and for this user only",
    )
}

/// The face networks, whose hashes are compared when they are read.
pub(super) fn model() -> Finding {
    match OnnxDetector::built_in() {
        Ok(detector) => Finding::well(
            Check::Model,
            &format!("{}，哈希相符", detector.version()),
            &format!("{}, its hash is right", detector.version()),
        ),
        Err(error) => Finding::error(Check::Model, "不可用", &error)
            .todo("重新安装程序", "Install the program again"),
    }
}

/// What the gateway's page says of its health, asked over a connection.
fn health(mut stream: impl Read + Write, host: &str) -> io::Result<String> {
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn ask(config: &Config) -> io::Result<String> {
    let stream = TcpStream::connect_timeout(&config.web.here(), PAGE_WITHIN)?;
    stream.set_read_timeout(Some(PAGE_WITHIN))?;
    stream.set_write_timeout(Some(PAGE_WITHIN))?;
    let Some(source) = config.web.certificate_source(&config.store.folder) else {
        return health(stream, &config.web.here().to_string());
    };
    let asker = tls::asker(&source).map_err(io::Error::other)?;
    let host = config.web.all_names().swap_remove(0);
    let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
    let session = ClientConnection::new(asker, name).map_err(io::Error::other)?;
    health(StreamOwned::new(session, stream), &host)
}

/// The gateway that runs, by its page.
pub(super) fn gateway(config: &Config) -> Finding {
    let scheme = if config.web.has_tls() {
        "https"
    } else {
        "http"
    };
    let page = format!("{scheme}://{}/", config.web.here());
    match ask(config) {
        Ok(answer) if answer.starts_with("HTTP/1.1 200") => Finding::well(
            Check::Gateway,
            &format!("正在运行，相机由它使用；页面 {page}"),
            &format!("It runs and has the camera; see {page} for both"),
        ),
        Ok(answer) => {
            let first = answer.lines().next().unwrap_or("nothing");
            Finding::wrong(
                Check::Gateway,
                &format!("页面应答异常：{first}"),
                &format!("It runs, but its page answers {first}"),
            )
            .todo(
                "查看日志：journalctl -u menshen -n 50",
                "Look at the log: journalctl -u menshen -n 50",
            )
        }
        Err(error) => Finding::wrong(
            Check::Gateway,
            &format!("正在运行，但页面 {page} 无应答（{error}）"),
            &format!("It runs, but its page at {page} does not answer ({error})"),
        )
        .todo(
            "查看日志：journalctl -u menshen -n 50",
            "Look at the log: journalctl -u menshen -n 50",
        ),
    }
}

/// The camera, its frame rate and the blackbody in its picture.
pub(super) fn camera(config: &Config) -> Vec<Finding> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(BootId(0)));
    let open = open_camera(&config.camera, Arc::clone(&clock), BootId(0));
    let failed = |error: &dyn std::fmt::Display| {
        Finding::error(Check::Camera, "打不开", error).todo(
            "运行 menshen cameras 查看已接的相机，并检查线缆与权限",
            "See what is plugged in with menshen cameras; check cable and rights",
        )
    };
    let open = match open {
        Ok(open) => open,
        Err(error) => return vec![failed(&in_words(&error))],
    };
    let mut camera = match open() {
        Ok(camera) => camera,
        Err(error) => return vec![failed(&error)],
    };
    let info = camera.info().clone();
    let frames = match frames(camera.as_mut(), clock.as_ref(), COUNTED_FOR) {
        Ok(frames) => frames,
        Err(error) => return vec![failed(&error)],
    };
    let mut findings = vec![Finding::well(
        Check::Camera,
        &format!("{}，{}×{}", info.name, info.width, info.height),
        &format!("{}, {}×{}", info.name, info.width, info.height),
    )];
    findings.push(rate(&frames, info.fps));
    findings.push(reference(config, camera.as_mut(), clock.as_ref(), &frames));
    findings
}

/// The frames of some seconds; at least one.
fn frames(
    camera: &mut dyn Camera,
    clock: &dyn Clock,
    length: Duration,
) -> Result<Vec<RawFrame>, CameraError> {
    let start = clock.now();
    let mut frames = Vec::new();
    loop {
        let over = clock.now().since(&start).is_none_or(|it| it >= length);
        match camera.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return Ok(frames),
            Err(error @ CameraError::Silent { .. }) if over && frames.is_empty() => {
                return Err(error);
            }
            Err(CameraError::Silent { .. }) => {}
            Err(error) => return Err(error),
        }
        if over {
            return Ok(frames);
        }
    }
}

fn rate(frames: &[RawFrame], announced: f64) -> Finding {
    let span = match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => last.stamp.since(&first.stamp).unwrap_or_default(),
        _ => Duration::ZERO,
    };
    if span.is_zero() {
        return Finding::wrong(Check::FrameRate, "只来了一帧", "A single frame came").todo(
            "重新插拔相机，换一个 USB 口或线缆",
            "Plug the camera in again, at another USB port or with another cable",
        );
    }
    let rate = (frames.len() - 1) as f64 / span.as_secs_f64();
    let (zh, en) = (
        format!("每秒 {rate:.1} 帧，应有 {announced:.1}"),
        format!("{rate:.1} frames a second, {announced:.1} announced"),
    );
    if rate >= ENOUGH_FRAMES * announced {
        Finding::well(Check::FrameRate, &zh, &en)
    } else {
        Finding::look(Check::FrameRate, &zh, &en).todo(
            "换 USB 口或线缆，勿经集线器",
            "Use another USB port or cable, and no hub",
        )
    }
}

/// Whether the radiometer finds what it measures against.
fn reference(
    config: &Config,
    camera: &mut dyn Camera,
    clock: &dyn Clock,
    frames: &[RawFrame],
) -> Finding {
    let profile = match camera_profile(&config.camera) {
        Ok(profile) => profile,
        Err(error) => {
            return Finding::error(Check::Reference, "无法检查", &in_words(&error));
        }
    };
    let mut radiometer = Radiometer::new(radiometer_settings(config, &profile));
    let mut health = None;
    for frame in frames {
        health = Some(radiometer.step(frame).health);
    }
    let start = clock.now();
    while !settled(health)
        && clock
            .now()
            .since(&start)
            .is_some_and(|it| it < REFERENCE_WITHIN)
    {
        match camera.next_frame() {
            Ok(Some(frame)) => health = Some(radiometer.step(&frame).health),
            Err(CameraError::Silent { .. }) => {}
            Ok(None) | Err(_) => break,
        }
    }
    match health {
        Some(FrameHealth::Good) => {
            Finding::well(Check::Reference, "在画面中，读数稳定", "In view and steady")
        }
        Some(FrameHealth::NoReference) => Finding::look(
            Check::Reference,
            "未配置，仅作相对比较",
            "None is configured: people are only compared with each other",
        )
        .todo(
            "建议放置黑体，并在 [reference] 设 present = true",
            "Stand a blackbody in view and set present = true in [reference]",
        ),
        Some(health) => {
            let words = health.words();
            Finding::wrong(Check::Reference, words.zh, words.en).todo(
                "黑体须完整入画、未遮挡、已通电升温，其设定值与 set_point_c 一致",
                "The blackbody must be whole in the picture, uncovered and warmed up, and set to set_point_c",
            )
        }
        None => Finding::wrong(Check::Reference, "没有画面", "There is no picture")
            .todo("检查相机", "Look at the camera"),
    }
}

/// Whether it is clear how the reference is.
const fn settled(health: Option<FrameHealth>) -> bool {
    matches!(health, Some(FrameHealth::Good | FrameHealth::NoReference))
}

/// The database, every page of it.
pub(super) fn database(config: &Config, runs: bool) -> Finding {
    match store::examine(&config.store.folder) {
        Ok(true) => Finding::well(Check::Database, "完整", "Whole"),
        Ok(false) => Finding::well(
            Check::Database,
            "尚无，首次启动时建立",
            "There is none yet; the first start makes it",
        ),
        Err(error) if runs => Finding::error(Check::Database, "无法检查", &error),
        Err(error) => Finding::error(Check::Database, "有问题", &error).todo(
            "menshen restore 列出可恢复的备份；直接启动则自动取回可读的记录",
            "menshen restore lists copies; a start without takes over what can be read",
        ),
    }
}

/// The broker: whether it answers, and whether this gateway hears what it says in its own topics.
pub(super) async fn broker(config: &Config) -> Finding {
    if !config.mqtt.enabled {
        return Finding::skipped(
            Check::Broker,
            "未启用，警报不出本机",
            "Not switched on: alerts stay on this machine",
        );
    }
    let asked = async {
        let (account, address) = (account(&config.mqtt)?, address(config)?);
        anyhow::Ok(probe::rights(&account, &address).await)
    };
    let rights = match asked.await {
        Ok(Ok(rights)) => rights,
        Ok(Err(why)) => return Finding::error(Check::Broker, "无应答", &why),
        Err(error) => {
            return Finding::error(Check::Broker, "无法检查", &in_words(&error));
        }
    };
    match rights {
        Rights::Own => Finding::well(
            Check::Broker,
            "可收发本门口的消息，他处的不可",
            "This gateway may speak in its own topics, and in no other gate's",
        ),
        Rights::Others => Finding::look(
            Check::Broker,
            "此账号还能冒充别的门口",
            "With this account it may speak for other gates, too",
        )
        .todo(
            "在服务器上设置 ACL，示例见 deploy/mosquitto",
            "Set rights at the broker as in deploy/mosquitto",
        ),
        Rights::None => Finding::wrong(
            Check::Broker,
            "服务器不转发本门口的消息",
            "The broker answers, but what this gateway says in its own topics does not come back",
        )
        .todo(
            "在服务器上允许此账号读写自己的主题，示例见 deploy/mosquitto",
            "Allow this account its own topics at the broker, as in deploy/mosquitto",
        ),
    }
}
