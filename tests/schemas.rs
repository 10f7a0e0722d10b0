//! The documents in `schemas/` say what the program does: the field table, and well-formed
//! descriptions of its JSON.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use volledger::domain::Series;
use volledger::domain::series::{FIELDS, field};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name)
}

/// Every document of a folder with its file stem, in the order of names.
fn documents(name: &str) -> Vec<(String, Value)> {
    let paths = fs::read_dir(folder(name)).unwrap();
    let mut all: Vec<_> = paths
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            assert_eq!(path.extension().unwrap(), "json", "{stem}");
            let text = fs::read_to_string(&path).unwrap();
            let document = serde_json::from_str(&text);
            (stem, document.unwrap_or_else(|e| panic!("{path:?}: {e}")))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// What in a document breaks a schema, one line each: `$.rows[3].date: not a string`.
///
/// Knows what the schemas here use: `$ref` into `$defs`, `type`, `const`, `enum`, `required`,
/// `properties`, `additionalProperties` as a schema, `items`, `anyOf`, `minimum`, `maximum`.
/// `pattern` is left to other programs.
pub fn violations(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, document, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        match root.pointer(target.trim_start_matches('#')) {
            Some(definition) => check(root, definition, value, at, found),
            None => found.push(format!("{at}: no such definition: {target}")),
        }
    }
    let mut breaks = |what: String| found.push(format!("{at}: {what}"));
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    if !types.is_empty() && !types.iter().any(|name| is_a(value, name)) {
        breaks(format!("not a {}: {value}", types.join(" or ")));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        breaks(format!("not {}: {value}", schema["const"]));
    }
    if let Some(all) = schema["enum"].as_array()
        && !all.contains(value)
    {
        breaks(format!("not in the list: {value}"));
    }
    let bound = |name: &str| Some((schema[name].as_f64()?, value.as_f64()?));
    if bound("minimum").is_some_and(|(least, is)| is < least)
        || bound("maximum").is_some_and(|(most, is)| is > most)
    {
        breaks(format!("out of bounds: {value}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let missing = |object: &serde_json::Map<_, _>| !object.contains_key(name.as_str().unwrap());
        if value.as_object().is_some_and(missing) {
            breaks(format!("lacks {name}"));
        }
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = |one: &Value| {
            let mut inner = Vec::new();
            check(root, one, value, at, &mut inner);
            inner.is_empty()
        };
        if !any.iter().any(fits) {
            breaks("fits no alternative".into());
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let known = &schema["properties"][name];
        let rule = if known.is_null() { &schema["additionalProperties"] } else { known };
        if rule.is_object() {
            check(root, rule, inner, &format!("{at}.{name}"), found);
        }
    }
    if schema["items"].is_object() {
        for (i, inner) in value.as_array().into_iter().flatten().enumerate() {
            check(root, &schema["items"], inner, &format!("{at}[{i}]"), found);
        }
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// The schema of an output document, by the middle part of its name.
pub fn output_schema(name: &str) -> Value {
    let found = documents("output").into_iter().find(|(stem, _)| stem == name);
    found.unwrap_or_else(|| panic!("schemas/output/{name}.json")).1
}

/// The names in `volledger/NAME/1` of the files that make reports.
fn outputs(place: &Path, found: &mut BTreeSet<String>) {
    if place.is_dir() {
        let inside = fs::read_dir(place).unwrap();
        return inside.for_each(|entry| outputs(&entry.unwrap().path(), found));
    }
    let text = fs::read_to_string(place).unwrap_or_default();
    for rest in text.split("\"volledger/").skip(1) {
        let name = rest.split_once("/1\"").map_or("{", |(name, _)| name);
        found.extend((!name.contains('{')).then(|| name.to_owned()));
    }
}

#[test]
fn every_output_document_is_described() {
    let all = documents("output");
    let mut wanted = BTreeSet::new();
    for floor in ["app", "cli", "render", "serve"] {
        outputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(floor), &mut wanted);
    }
    // What is hashed has such names as well.
    for hashed in ["content", "meaning", "token"] {
        wanted.remove(hashed);
    }
    let names: BTreeSet<String> = all.iter().map(|(stem, _)| stem.clone()).collect();
    assert_eq!(names, wanted);
    for (stem, schema) in &all {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{stem}");
        assert_eq!(schema["$id"], format!("urn:volledger:schema:output:{stem}:1"));
        let name = format!("volledger/{stem}/1");
        assert_eq!(schema["properties"]["schema"]["const"], name);
        for text in ["title", "description"] {
            let text = schema[text].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{stem}: {schema}");
        }
        assert_eq!(schema["required"][0], "schema", "{stem}");
        assert_ne!(schema["additionalProperties"], false, "{stem}");
        let examples = schema["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{stem}");
        for example in examples {
            assert_eq!(violations(schema, example), [""; 0], "{stem}");
        }
    }
}

#[test]
fn a_wrong_document_is_noticed() {
    let schema = output_schema("error");
    let document = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for wrong in [
        r#"{"schema":"volledger/error/1","error":"x","causes":[],"hint":null}"#,
        r#"{"schema":"volledger/error/2","error":"x","causes":[],"hint":null,"exit":1}"#,
        r#"{"schema":"volledger/error/1","error":"x","causes":[1],"hint":null,"exit":1}"#,
        r#"{"schema":"volledger/error/1","error":"x","causes":[],"hint":0,"exit":1}"#,
        r#"{"schema":"volledger/error/1","error":"x","causes":[],"hint":null,"exit":0}"#,
        r#"{"schema":"volledger/error/1","error":"x","causes":[],"hint":null,"exit":1.5}"#,
        "[]",
    ] {
        assert!(!violations(&schema, &document(wrong)).is_empty(), "{wrong}");
    }
    let view = output_schema("view");
    let neither = document(r#"{"schema":"volledger/view/1"}"#);
    assert_eq!(violations(&view, &neither), ["$: fits no alternative"]);
    let batches = output_schema("batches");
    let state = document(r#"{"schema":"volledger/batches/1","batches":[{"state":"gone"}]}"#);
    let found = violations(&batches, &state);
    assert!(found.contains(&"$.batches[0].state: not in the list: \"gone\"".to_owned()));
}

/// Where the description of a series differs from the table in the code.
fn series_differences(series: Series, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut same = |what: &str, is: &Value, want: Value| {
        if *is != want {
            found.push(format!("{series}: {what} is {is}, in the code {want}"));
        }
    };
    same("series", &document["series"], series.name().into());
    same("code", &document["code"], series.code().into());
    let mut key = vec!["symbol", "date"];
    key.extend(series.item_name());
    same("key", &document["key"], key.into());
    let primary = field(series.primary()).unwrap().name;
    same("primary", &document["primary"], primary.into());
    let threshold = series.default_threshold_points();
    same("threshold_points", &document["threshold_points"], threshold.into());
    let described = document["fields"].as_array().unwrap();
    let known: Vec<_> = series.fields().collect();
    same("number of fields", &described.len().into(), known.len().into());
    for (field, def) in described.iter().zip(known) {
        same("field code", &field["code"], def.code.into());
        same("field name", &field["name"], def.name.into());
        same("field unit", &field["unit"], def.unit.name().into());
    }
    found
}

#[test]
fn series_schemas_and_field_table_are_equal() {
    let all = documents("series");
    let stems: Vec<&str> = all.iter().map(|(stem, _)| stem.as_str()).collect();
    let mut names: Vec<&str> = Series::ALL.iter().map(|series| series.name()).collect();
    names.sort_unstable();
    assert_eq!(stems, names);
    let mut described = 0;
    for (stem, document) in &all {
        let series: Series = stem.parse().unwrap();
        assert_eq!(series_differences(series, document), [""; 0]);
        assert!(document["description"].as_str().is_some_and(|d| !d.is_empty()));
        for field in document["fields"].as_array().unwrap() {
            let text = field["description"].as_str().unwrap_or_default();
            assert!(text.ends_with('.'), "{field}");
            let unit = field["unit"].as_str().unwrap();
            assert!(document["units"][unit].is_string(), "{unit}");
            described += 1;
        }
    }
    assert_eq!(described, FIELDS.len());
}

#[test]
fn a_difference_between_schema_and_table_is_noticed() {
    let (_, document) = documents("series").into_iter().find(|(s, _)| s == "hv").unwrap();
    for (pointer, value) in [
        ("/code", Value::from(9)),
        ("/primary", "hv30".into()),
        ("/fields/1/name", "hv31".into()),
        ("/fields/1/code", 44.into()),
        ("/fields/1/unit", "price".into()),
        ("/fields", Vec::<Value>::new().into()),
        ("/threshold_points", Value::Null),
    ] {
        let mut changed = document.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(!series_differences(Series::Hv, &changed).is_empty(), "{pointer}");
    }
}
