//! TLS to a real Mosquitto, and what is said where it cannot be.

use super::authority::{Authority, free_port, listener};
use super::common::{recorded_alert, tempfolder};
use super::{Link, Street, accepted, eventually, open};
use menshen::mqtt::broker::{Broker, BrokerSettings};
use menshen::mqtt::dial::Network;
use menshen::mqtt::link::LinkState;
use menshen::mqtt::tls::TlsFiles;
use menshen::store::Store;
use std::path::PathBuf;
use std::sync::Arc;

fn over_tls(store: &Store, port: u16, ca: PathBuf, own: Option<(PathBuf, PathBuf)>) -> Link {
    Link::start_with(store, port, |settings| {
        settings.account.dial = Arc::new(Network {
            host: "127.0.0.1".to_owned(),
            port,
            tls: Some(TlsFiles { ca, own }),
        });
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_over_tls_and_what_is_wrong_with_a_certificate_is_said() {
    let folder = tempfolder();
    let ours = Authority::new(folder.path(), "ours");
    let other = Authority::new(folder.path(), "other");
    let ca = ours.certificate();
    let own = Some(ours.signs("gate", "gate-main", 4000));
    let (good, expired, elsewhere) = (free_port(), free_port(), free_port());
    let settings = BrokerSettings {
        more: [
            listener(good, &ca, &ours.signs("broker", "127.0.0.1", 4000)),
            listener(expired, &ca, &ours.signs("old", "127.0.0.1", 2020)),
            listener(elsewhere, &ca, &ours.signs("far", "broker.example", 4000)),
        ]
        .concat(),
        ..BrokerSettings::default()
    };
    let broker = Broker::start_with(&folder.path().join("broker"), &settings).unwrap();
    let store = open(&folder.path().join("data"));
    let street = Street::subscribe(broker.port()).await;
    recorded_alert(&store, 1);

    let wrong = [
        (
            good,
            other.certificate(),
            own.clone(),
            "authority that is not ours",
        ),
        (good, ca.clone(), None, "asks for a certificate"),
        (
            good,
            ca.clone(),
            Some(other.signs("stranger", "gate-main", 4000)),
            "refuses this gateway",
        ),
        (
            good,
            ca.clone(),
            Some(ours.signs("lapsed", "gate-main", 2020)),
            "this gateway's certificate expired on 2020-12-31",
        ),
        (
            expired,
            ca.clone(),
            own.clone(),
            "the broker's certificate expired on 2020-12-31",
        ),
        (elsewhere, ca.clone(), own.clone(), "for another name"),
        (
            broker.port(),
            ca.clone(),
            own.clone(),
            "no TLS with the broker",
        ),
        (
            good,
            folder.path().join("none.pem"),
            own.clone(),
            "cannot be read",
        ),
    ];
    for (port, ca, own, said) in wrong {
        let mut link = over_tls(&store, port, ca, own);
        let state = link
            .until(|state| matches!(state, LinkState::Away { .. }))
            .await;
        let LinkState::Away { why } = state else {
            unreachable!()
        };
        assert!(why.contains(said), "{said}: {why}");
        link.stop().await;
    }
    assert_eq!(street.numbers(), [0; 0]);

    let link = over_tls(&store, good, ca, own);
    accepted(&store, 1).await;
    eventually("the event", || async { street.numbers() == [1] }).await;
    link.stop().await;
}
