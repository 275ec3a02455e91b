//! Taking a gate away from its broker: what the broker retains of it is erased, and Home Assistant
//! forgets the device. For a gate that is given up, or that gets another name.

use super::dial::Account;
use super::session::{Came, Session, in_words};
use super::topic::{Address, Topic};
use crate::journal::{Keep, OutboxMessage};
use std::time::Duration;
use tokio::time::timeout;

/// How long the broker may take for a handful of messages.
const PATIENCE: Duration = Duration::from_secs(30);

/// Erases what the broker retains of this gate: a retained message without a payload (MQTT 3.1.1,
/// §3.3.1.3). The gateway must not be running, or it says everything again. Gives the topics.
///
/// # Errors
/// Why not, and what to do.
pub async fn forget(
    account: &Account,
    address: &Address,
    home_assistant: bool,
) -> Result<Vec<String>, String> {
    // Another name than the gateway's, which would be thrown out.
    let visitor = Account {
        client_id: format!("{}-farewell", account.client_id),
        ..account.clone()
    };
    let empty = |topic: String| OutboxMessage {
        topic,
        payload: Vec::new(),
        retain: true,
        keep: Keep::Always,
    };
    let mut messages: Vec<OutboxMessage> = Topic::retained(address)
        .iter()
        .map(|topic| empty(topic.to_string()))
        .collect();
    if home_assistant {
        messages.push(super::home_assistant::farewell(address));
    }
    let topics = messages.iter().map(|it| it.topic.clone()).collect();
    let mut session = Session::begin(&visitor, None).await?;
    for message in messages {
        session.publish(message, ())?;
    }
    let acknowledged = async {
        while session.flying().len() > 0 {
            match session.next().await {
                Ok(Came::Acknowledged(()) | Came::Nothing | Came::Message(_) | Came::Deaf(_)) => {}
                Err(gone) => return Err(in_words(&gone, &account.broker)),
            }
        }
        Ok(())
    };
    timeout(PATIENCE, acknowledged)
        .await
        .map_err(|_| format!("the broker at {} does not acknowledge", account.broker))??;
    session.end(PATIENCE).await;
    Ok(topics)
}
