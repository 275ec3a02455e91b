//! What an account may do at the broker, found out by trying: MQTT 3.1.1 acknowledges a message that the
//! broker's rights forbid like any other (section 3.3.5), so only its coming back tells.
//!
//! The name of the client differs from the gateway's, or each would throw the other out.

use super::dial::Account;
use super::session::{Came, Session};
use super::topic::{Address, Topic};
use crate::journal::{Keep, OutboxMessage};
use std::time::Duration;
use tokio::time::timeout;

/// How long an answer of the broker is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What the account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Speak in its own topics.
    Own,
    /// Speak in those of other gates, too.
    Others,
    /// Not even speak in its own.
    None,
}

/// Tries.
///
/// # Errors
/// Why the broker cannot be asked, and what to do.
pub async fn rights(account: &Account, address: &Address) -> Result<Rights, String> {
    let visitor = Account {
        client_id: format!("{}-doctor", account.client_id),
        ..account.clone()
    };
    let own = Topic::doctor(address).to_string();
    let foreign = Topic::doctor(&address.beside()).to_string();
    let mut session = Session::begin(&visitor, None).await?;
    session.subscribe(vec![own.clone(), foreign.clone()])?;
    let rights = if !comes_back(&mut session, &own).await {
        Rights::None
    } else if comes_back(&mut session, &foreign).await {
        Rights::Others
    } else {
        Rights::Own
    };
    session.end(ANSWER_WITHIN).await;
    Ok(rights)
}

/// Whether a message on this topic comes back. Some brokers close the connection at a message that they
/// forbid (Mosquitto 2.0.11 where it has `max_queued_messages 0`): that is an answer, too.
async fn comes_back(session: &mut Session<()>, topic: &str) -> bool {
    let message = OutboxMessage {
        topic: topic.to_owned(),
        payload: br#"{"v":1}"#.to_vec(),
        retain: false,
        keep: Keep::Always,
    };
    if session.publish(message, ()).is_err() {
        return false;
    }
    loop {
        match timeout(ANSWER_WITHIN, session.next()).await {
            Ok(Ok(Came::Message(publish))) if publish.topic == topic => return true,
            Ok(Ok(Came::Deaf(filter))) if filter == topic => return false,
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return false,
        }
    }
}
