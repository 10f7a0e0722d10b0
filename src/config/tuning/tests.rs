use super::*;
use crate::domain::shared;

fn files(text: &str) -> FileValues {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let (mut files, mut problems) = (FileValues::default(), Vec::new());
    files.read(&path, false, &mut problems);
    assert_eq!(problems, [""; 0], "{text}");
    files
}

fn blamed(text: &str, needs: &Surroundings) -> Vec<String> {
    let files = files(text);
    let problems = Tuning::of(&files).problems(needs);
    let mut keys: Vec<String> = problems.into_iter().map(|problem| problem.key).collect();
    keys.sort();
    keys
}

/// A configuration of the vectors as the file and the surroundings that it stands for.
fn case(values: &serde_json::Map<String, serde_json::Value>) -> (String, Surroundings) {
    let (mut top, mut sections) = (String::new(), String::new());
    let mut needs = Surroundings::default();
    for (key, value) in values {
        match key.as_str() {
            "api.tradier_api_key" => {
                needs.key = Some(("api.tradier_api_key", value.as_str() != Some("")));
            }
            "db.dir_exists" => needs.directory_exists = value.as_bool(),
            "db.dir_writable" => needs.directory_writable = value.as_bool(),
            key => match key.split_once('.') {
                Some((section, name)) => {
                    let header = format!("[{section}]\n");
                    match sections.find(&header) {
                        Some(at) => {
                            sections.insert_str(at + header.len(), &format!("{name} = {value}\n"));
                        }
                        None => sections += &format!("{header}{name} = {value}\n"),
                    }
                }
                None => top += &format!("{key} = {value}\n"),
            },
        }
    }
    (top + &sections, needs)
}

/// All cases of `config_validation.json`, through the file reader and the check of the program.
#[test]
fn the_recorded_configurations_are_judged_as_recorded() {
    let Some(text) = shared::text("vectors_ivcrush/config_validation.json") else { return };
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 14);
    for one in cases {
        let mut values = all["base"].as_object().unwrap().clone();
        values.extend(one["overrides"].as_object().unwrap().clone());
        let (text, needs) = case(&values);
        let expected = one["expected_error_keys"].as_array().unwrap().iter();
        let mut expected: Vec<&str> = expected.map(|key| key.as_str().unwrap()).collect();
        expected.sort();
        assert_eq!(blamed(&text, &needs), expected, "{}: {text}", one["id"]);
    }
}

#[test]
fn odd_numbers_are_refused_and_a_profile_counts_in_the_order() {
    let none = Surroundings::default();
    for (text, key) in [
        ("[retry]\nmax_attempts = 2.5\n", "retry.max_attempts"),
        ("[retry]\nbackoff_base = nan\n", "retry.backoff_base"),
        ("[retry]\nmax_backoff = inf\n", "retry.max_backoff"),
        ("[cache]\nl2_ttl = 1e300\n", "cache.l2_ttl"),
        ("[breaker]\nfailure_threshold = -1\n", "breaker.failure_threshold"),
        ("[vrp]\nprofile = \"legacy\"\nexcellent = 3\n", "vrp.excellent"),
        ("[log]\nfile = \"/no/such/folder/log\"\n", "log.file"),
    ] {
        assert_eq!(blamed(text, &none), [key], "{text}");
    }
    assert_eq!(blamed("[vrp]\nprofile = \"legacy\"\nexcellent = 4.5\n", &none), [""; 0]);
    let files = files("[cache]\nl1_ttl = 2.5\n");
    let tuning = Tuning::of(&files);
    assert_eq!(tuning.seconds("cache.l1_ttl").as_millis(), 2500);
    assert_eq!((tuning.whole("quarters.max"), tuning.number("vrp.good")), (12, 1.5));
    for (key, default, rule) in RULES {
        let Some(default) = default else { continue };
        let parsed = default.parse().map(Value::Decimal);
        let value = parsed.unwrap_or_else(|_| Value::Text((*default).to_owned()));
        assert!(fits(key, &value, *rule), "the default of {key}");
    }
}
