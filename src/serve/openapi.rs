//! `/api/openapi.json`: every address, and the schema of what it answers.

use super::{acts, pages};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value as Json, json};

/// The schemas of the answers (`schemas/output/`), each with its name.
const SCHEMAS: &[(&str, &str)] = &[
    ("audit", include_str!("../../schemas/output/audit.json")),
    ("batches", include_str!("../../schemas/output/batches.json")),
    ("chart", include_str!("../../schemas/output/chart.json")),
    ("coverage", include_str!("../../schemas/output/coverage.json")),
    ("days", include_str!("../../schemas/output/days.json")),
    ("earnings", include_str!("../../schemas/output/earnings.json")),
    ("error", include_str!("../../schemas/output/error.json")),
    ("event", include_str!("../../schemas/output/event.json")),
    ("gaps", include_str!("../../schemas/output/gaps.json")),
    ("job", include_str!("../../schemas/output/job.json")),
    ("jobs", include_str!("../../schemas/output/jobs.json")),
    ("heatmap", include_str!("../../schemas/output/heatmap.json")),
    ("log", include_str!("../../schemas/output/log.json")),
    ("projection", include_str!("../../schemas/output/projection.json")),
    ("projection-diff", include_str!("../../schemas/output/projection-diff.json")),
    ("projections", include_str!("../../schemas/output/projections.json")),
    ("review", include_str!("../../schemas/output/review.json")),
    ("sql", include_str!("../../schemas/output/sql.json")),
    ("status", include_str!("../../schemas/output/status.json")),
    ("verify", include_str!("../../schemas/output/verify.json")),
    ("vrp", include_str!("../../schemas/output/vrp.json")),
    ("why", include_str!("../../schemas/output/why.json")),
];

/// What a page's twin answers with.
const ANSWERS: &[(&str, &str)] = &[
    ("/status", "status"),
    ("/batches", "batches"),
    ("/batches/{batch}", "review"),
    ("/symbols", "coverage"),
    ("/symbols/{symbol}", "chart"),
    ("/why/{series}/{symbol}/{date}", "why"),
    ("/rank", "heatmap"),
    ("/vrp", "vrp"),
    ("/earnings/{symbol}", "earnings"),
    ("/gaps", "gaps"),
    ("/gaps/{symbol}", "days"),
    ("/events", "log"),
    ("/events/{entry}", "event"),
    ("/events/{batch}/{number}", "event"),
    ("/audit", "audit"),
    ("/verify", "verify"),
    ("/projections", "projections"),
    ("/projections/{name}", "projection"),
    ("/projections/{name}/diff", "projection-diff"),
    ("/jobs", "jobs"),
    ("/jobs/{job}", "job"),
    ("/sql", "sql"),
];

fn parameters(path: &str, words: &[&str]) -> Vec<Json> {
    let of = |name: &str, place: &str| json!({"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}});
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let names = names.map(|name| of(name, "path"));
    names.chain(words.iter().map(|word| of(word, "query"))).collect()
}

fn content(name: &str) -> Json {
    json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}})
}

/// References inside a schema, from where it stands in this document.
fn moved(schema: &mut Json, name: &str) {
    match schema {
        Json::Object(members) => {
            members.remove("$schema");
            members.remove("$id");
            for (key, inner) in members.iter_mut() {
                match inner {
                    Json::String(text) if key == "$ref" => {
                        *text = text.replacen('#', &format!("#/components/schemas/{name}"), 1);
                    }
                    inner => moved(inner, name),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| moved(item, name)),
        _ => {}
    }
}

pub(super) fn document() -> Json {
    let mut paths = Map::new();
    for (path, schema) in ANSWERS {
        let answer = json!({"get": {
            "summary": format!("volledger/{schema}/1"),
            "parameters": parameters(path, pages::words(path)),
            "responses": {
                "200": {"description": "the report", "content": content(schema)},
                "default": {"description": "why not", "content": content("error")},
            },
        }});
        paths.insert(format!("{path}.json"), answer);
    }
    let posts = acts::ALL.iter().map(|(path, _)| *path);
    let long = acts::LONG.iter().map(|(path, ..)| *path);
    for path in posts.chain(long).chain(["/verify/deep", "/jobs/{job}/stop"]) {
        let form = "application/x-www-form-urlencoded";
        let act = json!({"post": {
            "summary": "a form of a page; needs the token of the process and the page's origin",
            "parameters": parameters(path, &[]),
            "requestBody": {"content": {form: {"schema": {"type": "object"}}}},
            "responses": {"303": {"description": "done; the page that shows it"}},
        }});
        paths.insert(path.to_owned(), act);
    }
    let mut schemas = Map::new();
    for (name, text) in SCHEMAS {
        let mut schema: Json = serde_json::from_str(text).unwrap_or_default();
        moved(&mut schema, name);
        schemas.insert((*name).to_owned(), schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "volledger serve", "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

pub(super) async fn answer() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document().to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_page_is_described_and_every_reference_leads_somewhere() {
        let described: BTreeSet<&str> = ANSWERS.iter().map(|(path, _)| *path).collect();
        let pages: BTreeSet<&str> = pages::ALL
            .iter()
            .map(|(path, ..)| *path)
            .chain(["/jobs", "/jobs/{job}"])
            .filter(|p| *p != "/" && *p != "/sql.csv")
            .collect();
        assert_eq!(described, pages);
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 40, "{}", found.len());
        for reference in found {
            let target = document.pointer(reference.trim_start_matches('#'));
            assert!(target.is_some(), "{reference}");
        }
    }

    fn references(value: &Json, found: &mut Vec<String>) {
        match value {
            Json::Object(members) => members.iter().for_each(|(key, inner)| match inner {
                Json::String(text) if key == "$ref" => found.push(text.clone()),
                inner => references(inner, found),
            }),
            Json::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
}
