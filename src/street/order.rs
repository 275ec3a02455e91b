//! What sites are told to do, as it goes down: the payload of `cmd/<name>` that gateways read
//! (`deploy/mqtt/cmd.schema.json`). Pure but for the id, which is random.

use super::record::Order;
use crate::clock::WallTime;
use crate::command::CommandName;
use serde_json::json;

/// Asks sites to say once more how things stand. `by` is who asks, in the letters of a topic.
#[must_use]
pub fn announcement(by: &str, given: WallTime, expires: WallTime) -> Order {
    let (id, name) = (uuid::Uuid::new_v4().to_string(), CommandName::Announce);
    let until = jiff::Timestamp::from_millisecond(expires.0).unwrap_or(jiff::Timestamp::MAX);
    let payload = json!({"v": 1, "id": id, "by": by, "expires": until.to_string()});
    Order {
        id,
        name: name.as_str().to_owned(),
        payload: payload.to_string().into_bytes(),
        given,
        expires,
    }
}
