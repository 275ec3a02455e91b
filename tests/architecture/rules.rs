//! The rules as data: which module belongs to which layer, and what has one home.

/// Layers, lowest first. A module uses its own layer and those below, as its row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// Words of measurement and time: std only.
    Words,
    /// The pure core: words, core, `ndarray`, and std without I/O, threads and clocks.
    Core,
    /// Where the world comes in and goes out: words, core and other crates; of other rim modules
    /// only the front of those that its row names.
    Rim,
    /// What puts all together: everything.
    Wiring,
}

/// One module at the top of the crate.
pub(crate) struct Row {
    /// Its name.
    pub(crate) module: &'static str,
    /// Its layer.
    pub(crate) layer: Layer,
    /// Rim modules of which a rim module may use the front: what stands in their own page, not
    /// in a module inside.
    pub(crate) fronts: &'static [&'static str],
}

const fn row(module: &'static str, layer: Layer) -> Row {
    Row {
        module,
        layer,
        fronts: &[],
    }
}

/// Every module. One that is missing here fails the test: decide where it belongs, and say so in
/// the page of `src/lib.rs`, too.
pub(crate) const TABLE: &[Row] = &[
    row("units", Layer::Words),
    row("clock", Layer::Words),
    row("calendar", Layer::Words),
    row("text", Layer::Words),
    row("id", Layer::Words),
    row("staff", Layer::Words),
    row("secret", Layer::Words),
    row("thermal", Layer::Core),
    row("face", Layer::Core),
    row("track", Layer::Core),
    row("estimate", Layer::Core),
    row("screening", Layer::Core),
    row("alert", Layer::Core),
    row("account", Layer::Core),
    row("command", Layer::Core),
    row("event", Layer::Core),
    row("journal", Layer::Core),
    row("figures", Layer::Core),
    row("evaluate", Layer::Core),
    row("checklist", Layer::Core),
    row("people", Layer::Core),
    row("procedure", Layer::Core),
    row("camera", Layer::Rim),
    row("detect", Layer::Rim),
    row("store", Layer::Rim),
    row("mqtt", Layer::Rim),
    row("notify", Layer::Rim),
    row("picture", Layer::Rim),
    row("sheet", Layer::Rim),
    row("export", Layer::Rim),
    Row {
        module: "web",
        layer: Layer::Rim,
        fronts: &["export", "picture", "sheet", "street"],
    },
    Row {
        module: "street",
        layer: Layer::Rim,
        fronts: &["export", "mqtt"],
    },
    row("pipeline", Layer::Wiring),
    row("config", Layer::Wiring),
    row("cmd", Layer::Wiring),
    row("lib", Layer::Wiring),
    row("main", Layer::Wiring),
];

/// The only crate that the core may use.
pub(crate) const CORE_CRATES: &[&str] = &["ndarray"];

/// Parts of std that the core may not use: time and data come in as arguments.
pub(crate) const NOT_IN_CORE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "thread"],
    &["std", "env"],
    &["std", "process"],
    &["std", "io"],
    &["std", "os"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
];

/// Crates and parts of std that have one home: path, and the modules that may use it.
pub(crate) const HOMES: &[(&[&str], &[&str])] = &[
    (&["std", "env"], &["config"]),
    (&["rusqlite"], &["store", "street"]),
    (&["postgres"], &["street"]),
    (&["tokio_postgres_rustls"], &["street"]),
    (&["rumqttc"], &["mqtt", "street"]),
    (&["axum"], &["web", "street"]),
    (&["askama"], &["web", "street"]),
    (&["tower_http"], &["web", "street"]),
    (&["calamine"], &["sheet"]),
    (&["chacha20poly1305"], &["store"]),
    (&["argon2"], &["web"]),
    (&["zxcvbn"], &["web"]),
    (&["qrcode"], &["picture"]),
    (&["krilla"], &["export"]),
    (&["skrifa"], &["export"]),
    (&["rust_xlsxwriter"], &["export"]),
    (&["rten"], &["detect"]),
    (&["rten_tensor"], &["detect"]),
    (&["v4l"], &["camera"]),
    (&["clap"], &["cmd", "main"]),
    (&["anyhow"], &["pipeline", "cmd", "main"]),
];

/// Macros that write to the terminal, and the modules that may use them.
pub(crate) const PRINTING: &[(&str, &[&str])] = &[
    ("print", &["cmd"]),
    ("println", &["cmd"]),
    ("eprint", &["cmd", "main"]),
    ("eprintln", &["cmd", "main"]),
    ("dbg", &[]),
];

/// Modules that may hold SQL.
pub(crate) const SQL_HOMES: &[&str] = &["store", "street"];

/// What every topic begins with, and the files that may say so.
pub(crate) const TOPIC: (&str, &[&str]) = ("menshen/v1", &["mqtt/topic.rs", "mqtt/topic/"]);

/// The files that may hold `unsafe`: they own the video device and its buffers.
pub(crate) const UNSAFE_HOMES: &[&str] = &["camera/v4l/node.rs", "camera/v4l/stream.rs"];

/// Most lines of a file, and of `main.rs`.
pub(crate) const LINES: (usize, usize) = (600, 40);

/// Whether a text is SQL: capital keywords anywhere, or a statement's beginning in any case.
pub(crate) fn is_sql(text: &str) -> bool {
    const CAPITALS: &[&[&str]] = &[
        &["SELECT"],
        &["INSERT", "INTO"],
        &["INSERT", "OR"],
        &["UPDATE", "", "SET"],
        &["DELETE", "FROM"],
        &["CREATE", "TABLE"],
        &["CREATE", "INDEX"],
        &["CREATE", "UNIQUE"],
        &["CREATE", "TRIGGER"],
        &["CREATE", "VIEW"],
        &["ALTER", "TABLE"],
        &["DROP", "TABLE"],
        &["PRAGMA"],
        &["BEGIN", "IMMEDIATE"],
        &["ON", "CONFLICT"],
        &["ORDER", "BY"],
    ];
    const BEGINNINGS: &[&[&str]] = &[
        &["insert", "into"],
        &["delete", "from"],
        &["create", "table"],
        &["alter", "table"],
        &["drop", "table"],
        &["update", "", "set"],
        &["pragma"],
    ];
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    // An empty word stands for any.
    let begins = |words: &[&str], phrase: &[&str], exact: bool| {
        words.len() > phrase.len()
            && phrase.iter().zip(words).all(|(want, word)| {
                want.is_empty() || want == word || (!exact && want.eq_ignore_ascii_case(word))
            })
    };
    let anywhere = (0..words.len()).any(|start| {
        let rest = words.get(start..).unwrap_or_default();
        CAPITALS.iter().any(|phrase| begins(rest, phrase, true))
    });
    anywhere
        || BEGINNINGS
            .iter()
            .any(|phrase| begins(&words, phrase, false))
}
