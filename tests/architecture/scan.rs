//! Finds what a file uses, and holds it against the rules.

use crate::rules::{
    CORE_CRATES, HOMES, LINES, Layer, NOT_IN_CORE, PRINTING, Row, SQL_HOMES, TABLE, TOPIC,
    UNSAFE_HOMES, is_sql,
};
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::str::FromStr;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// What names can mean: the modules of this crate, and the crates it depends on.
pub(crate) struct World {
    modules: BTreeSet<Vec<String>>,
    /// Modules that are declared under `#[cfg(test)]` and have a file of their own.
    tests: BTreeSet<Vec<String>>,
    crates: BTreeSet<String>,
}

impl World {
    /// From the files of `src/` and the names of the dependencies.
    pub(crate) fn of(sources: &[(String, String)], crates: Vec<String>) -> Self {
        let mut modules = BTreeSet::new();
        let mut tests = BTreeSet::new();
        for (file, text) in sources {
            let mut path = module_of(file);
            for item in syn::parse_file(text).map_or_else(|_| Vec::new(), |file| file.items) {
                if let syn::Item::Mod(inner) = item
                    && for_tests(&inner.attrs)
                {
                    tests.insert([path.clone(), vec![inner.ident.to_string()]].concat());
                }
            }
            while !path.is_empty() {
                modules.insert(path.clone());
                path.pop();
            }
        }
        Self {
            modules,
            tests,
            crates: crates.into_iter().collect(),
        }
    }
}

/// The path of a file's module: `thermal/frame.rs` is `[thermal, frame]`, `lib.rs` is `[]`.
fn module_of(file: &str) -> Vec<String> {
    let mut path: Vec<String> = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    let last = path.last().map(String::as_str);
    if last == Some("mod") || (path.len() == 1 && matches!(last, Some("lib" | "main"))) {
        path.pop();
    }
    path
}

/// Every breach in one file of `src/`, each as `src/file:line: what; what to do`.
pub(crate) fn check(file: &str, text: &str, world: &World) -> Vec<String> {
    let module = module_of(file);
    let top = match module.first() {
        Some(top) => top.clone(),
        None => file.trim_end_matches(".rs").to_owned(),
    };
    let Some(row) = TABLE.iter().find(|row| row.module == top) else {
        return vec![format!(
            "src/{file}:1: the module `{top}` has no layer: add a row for it to TABLE in \
             tests/architecture/rules.rs, and to the page of src/lib.rs"
        )];
    };
    let mut scan = Scan {
        file,
        row,
        module,
        world,
        breaches: Vec::new(),
    };
    scan.shape(text);
    match (TokenStream::from_str(text), syn::parse_file(text)) {
        (Ok(tokens), Ok(parsed)) => {
            scan.refuse_unsafe(tokens);
            if !world.tests.contains(&scan.module) {
                scan.visit_file(&parsed);
            }
        }
        (_, Err(error)) => scan.breach_at(error.span().start().line, &format!("not Rust: {error}")),
        (Err(error), _) => scan.breach_at(1, &format!("not Rust: {error}")),
    }
    scan.breaches
}

struct Scan<'a> {
    file: &'a str,
    row: &'static Row,
    module: Vec<String>,
    world: &'a World,
    breaches: Vec<String>,
}

impl Scan<'_> {
    fn breach_at(&mut self, line: usize, what: &str) {
        let breach = format!("src/{}:{line}: {what}", self.file);
        if !self.breaches.contains(&breach) {
            self.breaches.push(breach);
        }
    }

    fn breach(&mut self, span: Span, what: &str) {
        self.breach_at(span.start().line, what);
    }

    /// The page at the beginning, and the length.
    fn shape(&mut self, text: &str) {
        if !text.starts_with("//!") {
            self.breach_at(
                1,
                "the file does not begin with a page `//!`: say why it exists",
            );
        }
        let most = if self.file == "main.rs" {
            LINES.1
        } else {
            LINES.0
        };
        let lines = text.lines().count();
        if lines > most {
            self.breach_at(lines, &format!("more than {most} lines: divide it"));
        }
    }

    fn refuse_unsafe(&mut self, tokens: TokenStream) {
        if UNSAFE_HOMES.contains(&self.file) {
            return;
        }
        for token in tokens {
            match token {
                TokenTree::Ident(word) if word == "unsafe" => self.breach(
                    word.span(),
                    &format!("unsafe stands in {UNSAFE_HOMES:?} of src/ only"),
                ),
                TokenTree::Group(group) => self.refuse_unsafe(group.stream()),
                _ => {}
            }
        }
    }

    /// A path as it is written. `import`: in a `use`, where one word is a path, too.
    fn path(&mut self, written: &[String], from_root: bool, import: bool, span: Span) {
        let Some((first, rest)) = written.split_first() else {
            return;
        };
        if written.len() > 1
            && let Some(last @ ("unwrap" | "expect")) = written.last().map(String::as_str)
        {
            self.careless(last, span);
        }
        let child = [self.module.clone(), vec![first.clone()]].concat();
        match first.as_str() {
            "crate" => self.internal(rest, span),
            "menshen" if self.file == "main.rs" => self.internal(rest, span),
            "self" | "super" => {
                let mut base = self.module.clone();
                let mut rest = written;
                while let Some((word @ ("self" | "super"), after)) = rest
                    .split_first()
                    .map(|(word, after)| (word.as_str(), after))
                {
                    if word == "super" && base.pop().is_none() {
                        return;
                    }
                    rest = after;
                }
                base.extend_from_slice(rest);
                self.internal(&base, span);
            }
            _ if !from_root && self.world.modules.contains(&child) => {}
            _ if from_root || import || written.len() > 1 => {
                self.external(written, import, span);
            }
            _ => {}
        }
    }

    /// A path within this crate.
    fn internal(&mut self, target: &[String], span: Span) {
        let Row {
            module,
            layer,
            fronts,
        } = *self.row;
        let Some(top) = target.first() else { return };
        if top == "*" && layer != Layer::Wiring {
            self.breach(span, "uses everything of the crate: name what it needs");
        }
        if top == module {
            return;
        }
        let Some(used) = TABLE.iter().find(|row| row.module == top) else {
            return;
        };
        let inside = target
            .get(..2)
            .is_some_and(|path| self.world.modules.contains(path));
        let may = match layer {
            Layer::Wiring => true,
            Layer::Words | Layer::Core => used.layer <= layer,
            Layer::Rim => used.layer < layer || (fronts.contains(&used.module) && !inside),
        };
        if !may {
            self.breach(
                span,
                &format!(
                    "{module} ({layer:?}) uses {}: imports point downwards only; pass what it \
                     needs in as an argument or a trait of the core, or wire it in pipeline or cmd",
                    target.join("::"),
                ),
            );
        }
    }

    /// A path into another crate or into std.
    fn external(&mut self, written: &[String], import: bool, span: Span) {
        let Row { module, layer, .. } = *self.row;
        let first = written.first().map_or("", String::as_str);
        // core and alloc are parts of std.
        let std = matches!(first, "std" | "core" | "alloc");
        if !std && !self.world.crates.contains(first) {
            return;
        }
        let mut named: Vec<&str> = written.iter().map(String::as_str).collect();
        if let (true, Some(root)) = (std, named.first_mut()) {
            *root = "std";
        }
        // `use std::time;` and `use std::time::*;` open the door to what is below.
        let open = import && named.last() == Some(&"*");
        if open {
            named.pop();
        }
        let reaches = |path: &[&str]| {
            named.starts_with(path) || (import && path.starts_with(&named) && path != named)
        };
        for (path, homes) in HOMES {
            let meant = named.starts_with(path);
            if meant && !homes.contains(&module) && layer > Layer::Core {
                let what = path.join("::");
                self.breach(
                    span,
                    &format!("{what} is used in {} only", homes.join(", ")),
                );
            }
        }
        let refused = match layer {
            Layer::Words => !std,
            Layer::Core if std => NOT_IN_CORE.iter().any(|path| reaches(path)),
            Layer::Core => !CORE_CRATES.contains(&first),
            Layer::Rim | Layer::Wiring => false,
        };
        if refused {
            let what = named.join("::");
            self.breach(
                span,
                &format!("{module} ({layer:?}) may not use {what}: it belongs to the rim"),
            );
        }
    }

    fn careless(&mut self, what: &str, span: Span) {
        self.breach(
            span,
            &format!("{what} outside of tests: return an error, or handle the other case"),
        );
    }

    fn text(&mut self, text: &str, span: Span) {
        if is_sql(text) && !SQL_HOMES.contains(&self.row.module) {
            self.breach(
                span,
                &format!("SQL stands in {} only", SQL_HOMES.join(", ")),
            );
        }
        let (beginning, homes) = TOPIC;
        if text.starts_with(beginning) && !homes.iter().any(|home| self.file.starts_with(home)) {
            let homes = homes.join(", ");
            self.breach(span, &format!("a topic stands in src/{homes} only"));
        }
    }

    /// Tokens of a macro or an attribute: paths, texts and `.unwrap()`.
    fn tokens(&mut self, stream: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let colons = |at: usize| {
            [at, at + 1].iter().all(
                |&at| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':'),
            )
        };
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(word) => {
                    let dotted = at.checked_sub(1).is_some_and(
                        |before| matches!(&tokens[before], TokenTree::Punct(p) if p.as_char() == '.'),
                    );
                    if dotted {
                        let called = matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
                        if called && (word == "unwrap" || word == "expect") {
                            self.careless(&word.to_string(), word.span());
                        }
                        at += 1;
                        continue;
                    }
                    let from_root = prefix.is_empty() && at >= 2 && colons(at - 2);
                    let mut path = prefix.to_vec();
                    path.push(word.to_string());
                    at += 1;
                    while colons(at) {
                        match tokens.get(at + 2) {
                            Some(TokenTree::Ident(next)) => {
                                path.push(next.to_string());
                                at += 3;
                            }
                            Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                                path.push("*".to_owned());
                                at += 3;
                            }
                            Some(TokenTree::Group(group))
                                if group.delimiter() == Delimiter::Brace =>
                            {
                                self.tokens(group.stream(), &path);
                                at += 3;
                            }
                            _ => break,
                        }
                    }
                    self.path(&path, from_root, !prefix.is_empty(), word.span());
                }
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        self.text(&text.value(), literal.span());
                    }
                    at += 1;
                }
                TokenTree::Group(group) => {
                    self.tokens(group.stream(), &[]);
                    at += 1;
                }
                TokenTree::Punct(_) => at += 1,
            }
        }
    }

    /// The branches of a `use`.
    fn branches(&mut self, tree: &syn::UseTree, prefix: &[String], from_root: bool) {
        let with = |name: String| [prefix, &[name]].concat();
        match tree {
            syn::UseTree::Path(path) => {
                self.branches(&path.tree, &with(path.ident.to_string()), from_root);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.branches(tree, prefix, from_root);
                }
            }
            syn::UseTree::Name(name) if name.ident == "self" && !prefix.is_empty() => {
                self.path(prefix, from_root, true, name.span());
            }
            syn::UseTree::Name(name) => {
                self.path(&with(name.ident.to_string()), from_root, true, name.span());
            }
            syn::UseTree::Rename(name) => {
                self.path(&with(name.ident.to_string()), from_root, true, name.span());
            }
            syn::UseTree::Glob(glob) => {
                self.path(&with("*".to_owned()), from_root, true, glob.span());
            }
        }
    }
}

/// Whether code is there for tests only.
fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| {
                    let condition = list.tokens.to_string().replace(' ', "");
                    condition == "test" || condition.starts_with("all(test")
                }))
    })
}

/// The attributes of an item.
fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Scan<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !for_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.branches(&item.tree, &[], item.leading_colon.is_some());
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.path(&[item.ident.to_string()], true, true, item.ident.span());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let written: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.path(&written, path.leading_colon.is_some(), false, path.span());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|s| s.ident.to_string());
        if let Some((word, homes)) = PRINTING
            .iter()
            .find(|(word, _)| name.as_deref() == Some(*word))
            && !homes.contains(&self.row.module)
        {
            let what =
                format!("{word}! writes to the terminal: log with tracing, or say it in cmd");
            self.breach(call.span(), &what);
        }
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone(), &[]);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), &[]);
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.text(&literal.value(), literal.span());
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" || call.method == "expect" {
            self.careless(&call.method.to_string(), call.method.span());
        }
        visit::visit_expr_method_call(self, call);
    }
}
