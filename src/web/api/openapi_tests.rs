//! The interface for programs stands in `deploy/api/openapi.json`, as the gateway serves it. After a change:
//! `MENSHEN_WRITE_SCHEMAS=1 cargo test --lib openapi`.

use super::super::problem::ProblemJson;
use super::super::routes::{Needs, served};
use super::super::{events, live};
use super::{AlertJson, StateJson};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use std::path::Path;

/// What is said of one address.
struct Operation {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    /// What comes with 200 (or, of the live view, 101).
    answer: Value,
    parameters: Value,
}

fn content(kind: &str, schema: &Value) -> Value {
    json!({ kind: { "schema": schema } })
}

fn answer(what: &str, content: &Value) -> Value {
    json!({ "200": { "description": what, "content": content } })
}

#[expect(clippy::too_many_lines, reason = "an entry for each address")]
fn operations(schemas: &mut SchemaGenerator) -> Vec<Operation> {
    let of = |schema: schemars::Schema| schema.to_value();
    let state = of(schemas.subschema_for::<StateJson>());
    let alert = of(schemas.subschema_for::<AlertJson>());
    let event = of(schemas.subschema_for::<events::EventJson>());
    let header = of(schemas.subschema_for::<live::Header>());
    let text = json!({ "type": "string" });
    let operation = |path, id, summary, answer| Operation {
        path,
        id,
        summary,
        answer,
        parameters: json!([]),
    };
    let json_of = |schema: &Value| content("application/json", schema);
    vec![
        operation(
            "/api/v1/state",
            "getState",
            "How the gateway is, and today's numbers",
            answer("The state as it is now", &json_of(&state)),
        ),
        operation(
            "/api/v1/alerts",
            "listAlerts",
            "Alerts: those not resolved first, each newest first, 200 at most",
            answer(
                "The alerts",
                &json_of(&json!({ "type": "array", "items": alert })),
            ),
        ),
        Operation {
            parameters: json!([{
                "name": "id", "in": "path", "required": true,
                "description": "As it stands in a list or an event",
                "schema": { "type": "string", "pattern": "^[0-9]{1,19}-[0-9]{1,19}$" },
            }]),
            ..operation(
                "/api/v1/alerts/{id}",
                "getAlert",
                "One alert",
                answer("The alert", &json_of(&alert)),
            )
        },
        Operation {
            parameters: json!([{
                "name": "Last-Event-ID", "in": "header", "required": false,
                "description": "The id of the last event that came: what came since is sent first. \
                                An event `reset` says that it cannot be: read the lists again",
                "schema": { "type": "string" },
            }]),
            ..operation(
                "/api/v1/events",
                "listenToEvents",
                "What happens, as it happens (server-sent events); a comment every 15 s where nothing does",
                answer(
                    "Events: `id`, `event` (the kind) and `data`",
                    &content(
                        "text/event-stream",
                        &json!({ "type": "string", "contentMediaType": "application/json", "contentSchema": event }),
                    ),
                ),
            )
        },
        operation(
            "/live",
            "watchFrames",
            "The thermal picture (WebSocket): ten frames a second at most, and fewer for whoever is slow",
            json!({ "101": {
                "description": "Each message: length of the header (u32 LE), the header (JSON), then hundredths \
                                of °C as i16 LE, row by row",
                "content": content(
                    "application/octet-stream",
                    &json!({ "type": "string", "contentMediaType": "application/json", "contentSchema": header }),
                ),
            } }),
        ),
        operation(
            "/metrics",
            "getMetrics",
            "Numbers for Prometheus (OpenMetrics), where the site has switched them on",
            answer(
                "The numbers",
                &content("application/openmetrics-text", &text),
            ),
        ),
        operation(
            "/healthz",
            "getHealth",
            "Whether the page answers and the store can be read",
            answer("It does: `ok`", &content("text/plain", &text)),
        ),
        operation(
            "/readyz",
            "getReadiness",
            "The same, and whether a frame was screened since the start",
            answer("It was: `ok`", &content("text/plain", &text)),
        ),
        operation(
            "/api/openapi.json",
            "getDescription",
            "This description",
            answer("It", &json_of(&json!({ "type": "object" }))),
        ),
    ]
}

fn security(path: &str, needs: Needs) -> (Value, String) {
    match (path, needs) {
        ("/metrics", _) => (json!([{ "token": [] }]), "the token".to_owned()),
        (_, Needs::Nothing) => (json!([]), "nothing".to_owned()),
        (_, Needs::SignIn) => (json!([{ "session": [] }]), "signing in".to_owned()),
        (_, Needs::Right(right)) => (
            json!([{ "session": [] }]),
            format!("the right to {}", right.en()),
        ),
    }
}

fn description() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = "/components/schemas".into();
        it.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<ProblemJson>().to_value();
    let served = served();
    let mut paths = Map::new();
    for it in operations(&mut schemas) {
        let needs = served
            .iter()
            .find(|other| other.path == it.path)
            .unwrap()
            .needs;
        let (security, needed) = security(it.path, needs);
        let mut responses = it.answer;
        responses["default"] = json!({ "$ref": "#/components/responses/Problem" });
        let operation = json!({
            "operationId": it.id,
            "summary": it.summary,
            "description": format!("Needs {needed}."),
            "parameters": it.parameters,
            "security": security,
            "responses": responses,
        });
        paths.insert(it.path.to_owned(), json!({ "get": operation }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "门神 Menshen",
            "version": "1",
            "description": "What a gateway tells programs of its own building. Names and ids stay as they are within \
                            /api/v1; fields and kinds of event may be added. Temperatures are °C, differences K, \
                            `expanded_u_k` is U (k = 2), `budget` has standard uncertainties (k = 1). Times are RFC \
                            3339 in UTC; `clock` says whether they can be believed. Whoever signs in on the pages \
                            has the session's cookie (without TLS, on loopback, it has no `__Host-`).",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "responses": { "Problem": {
                "description": "Why not, and what to do (RFC 9457)",
                "content": content("application/problem+json", &problem),
            } },
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-menshen-session" },
                "token": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

#[test]
fn the_description_that_is_served_is_that_of_the_code() {
    let text = serde_json::to_string_pretty(&description()).unwrap() + "\n";
    // The code's own names of the wire's types end so, to tell them from the core's.
    let text = text.replace("Json\"", "\"");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/api/openapi.json");
    if std::env::var_os("MENSHEN_WRITE_SCHEMAS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    assert_eq!(super::DESCRIPTION, text, "{}", file.display());
}

#[test]
fn every_address_for_programs_is_described() {
    let described = description();
    for it in served() {
        let is_for_programs = it.path.starts_with("/api/");
        let is_described = !described["paths"][it.path].is_null();
        assert!(
            is_described || !is_for_programs,
            "{} {}",
            it.method,
            it.path
        );
    }
}
