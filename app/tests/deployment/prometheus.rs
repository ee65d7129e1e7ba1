//! Runs Prometheus with the files of `deploy/metrics`, which reads the metrics of the application.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rocket::serde::json::Value;
use tempfile::TempDir;
use testing::accounts::{EMAIL, PASSWORD, register, sign_in};
use testing::application::Application;
use testing::server::{Server, fed, free_port, wait_until};
use testing::visitor::Visitor;
use testing::{database, root, secrets};

use crate::site::shipped;

const TIMEOUT: Duration = Duration::from_secs(60);

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the setting that serves the metrics at this port.
fn metrics_at(port: u16) -> String {
    format!("{{address=\"127.0.0.1:{port}\"}}")
}

fn get(url: &str) -> String {
    let answer = reqwest::blocking::get(url).unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.text().unwrap()
}

/// The names of metrics in a text, without the endings of the series of a histogram.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let is_metric = |word: &&str| word.starts_with("session_") || word.starts_with("accounts_");
    let endings = ["_bucket", "_sum", "_count"];
    let name = |word| {
        endings
            .iter()
            .find_map(|end| str::strip_suffix(word, end))
            .unwrap_or(word)
    };
    words.filter(is_metric).map(name).collect()
}

struct Prometheus {
    server: Server,
    _home: TempDir,
}

impl Prometheus {
    /// Starts it with the shipped files, for one process. It reads more often than they say.
    fn start(metrics: u16) -> Self {
        let (home, port) = (secrets::temporary().tempdir().unwrap(), free_port());
        let path = |name: &str| home.path().join(name);
        let settings = shipped(
            "metrics/prometheus.yml",
            &[
                ("127.0.0.1:9464", format!("127.0.0.1:{metrics}")),
                ("scrape_interval: 15s", "scrape_interval: 200ms".into()),
                ("evaluation_interval: 15s", "evaluation_interval: 1s".into()),
            ],
        );
        fs::write(path("prometheus.yml"), settings).unwrap();
        for name in ["alerts.yml", "console.html"] {
            fs::copy(root().join("deploy/metrics").join(name), path(name)).unwrap();
        }
        let option = |name: &str, path: PathBuf| format!("--{name}={}", path.display());
        let mut command = Command::new("prometheus");
        command.args([
            "--log.level=error".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
            option("config.file", path("prometheus.yml")),
            option("storage.tsdb.path", path("data")),
            option("web.console.templates", path("")),
            option("web.console.libraries", path("")),
        ]);
        let server = Server::start(&mut command, port);
        let ready = format!("{}/-/ready", server.base);
        wait_until("Prometheus is ready", TIMEOUT, || {
            reqwest::blocking::get(&ready).is_ok_and(|answer| answer.status() == 200)
        });
        Self {
            server,
            _home: home,
        }
    }

    /// Asks its API, and returns the data.
    fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url = url::Url::parse(&format!("{}/api/v1/{path}", self.server.base)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let answer = reqwest::blocking::get(url).unwrap().text().unwrap();
        let answer: Value = rocket::serde::json::from_str(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{query:?}: {answer}");
        answer["data"].clone()
    }

    /// Returns whether a query has a number among its answers.
    fn answers(&self, query: &str) -> bool {
        let data = self.ask("query", &[("query", query)]);
        let series = data["result"].as_array().unwrap();
        let is_number = |one: &Value| one["value"][1].as_str().is_some_and(|it| it != "NaN");
        series.iter().any(is_number)
    }
}

/// Uses most of what has metrics.
fn load(visitor: &Visitor) {
    for password in [PASSWORD, "nothing of the sort"] {
        sign_in(visitor, EMAIL, password);
    }
    for place in ["London", "Paris"] {
        let fields = [("_method", "put"), ("location", place)];
        assert_eq!(visitor.post("/account/location", &fields).status, 303);
        assert_eq!(visitor.get("/account").status, 200);
    }
}

/// The queries of the dashboard, with values in place of its variables.
fn queries_of_the_dashboard() -> Vec<String> {
    let dashboard: Value =
        rocket::serde::json::from_str(&file("deploy/metrics/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|it| it["targets"].as_array().unwrap());
    let of_panels = targets.map(|it| it["expr"].as_str().unwrap().to_owned());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let of_variables = variables.iter().filter_map(|it| {
        let query = it["query"].as_str()?.strip_prefix("label_values(")?;
        Some(query.split(',').next()?.to_owned())
    });
    let filled = |query: String| {
        query
            .replace("$__rate_interval", "1m")
            .replace("$instance", ".+")
    };
    of_panels.chain(of_variables).map(filled).collect()
}

/// The queries that the script of the console sends.
fn queries_of_the_console() -> Vec<String> {
    let console = file("deploy/metrics/console.html");
    let values = console.split("<data value=\"").skip(1);
    values
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "needs Prometheus and MariaDB: run ./test.sh"]
fn each_query_of_the_dashboard_the_alerts_and_the_console_answers() {
    let (database, metrics) = (database::mariadb(), free_port());
    let setting = ("ROCKET_METRICS", &*metrics_at(metrics));
    let application = Application::start_with(&database, &[setting]);
    let visitor = application.visitor();
    assert_eq!(register(&visitor, EMAIL, &[]).status, 303);
    let prometheus = Prometheus::start(metrics);
    wait_until("Prometheus reads the metrics", TIMEOUT, || {
        prometheus.answers("up == 1")
    });
    load(&visitor);

    let (dashboard, console) = (queries_of_the_dashboard(), queries_of_the_console());
    assert!(dashboard.len() > 20 && console.len() > 10);
    for query in dashboard.iter().chain(&console) {
        wait_until(query, TIMEOUT, || prometheus.answers(query));
    }

    let page = get(&format!("{}/consoles/console.html", prometheus.server.base));
    let (_, row) = page
        .split_once(&format!("<td>127.0.0.1:{metrics}</td>"))
        .unwrap();
    let (row, _) = row.split_once("</tr>").unwrap();
    assert_eq!(row.matches("<td>").count(), 7, "{row}");
    assert!(!row.contains('–') && !row.contains("NaN"), "{row}");

    wait_until("the rules are evaluated", TIMEOUT, || {
        let rules = prometheus.ask("rules", &[]);
        let rules = rules["groups"][0]["rules"].as_array().unwrap().clone();
        assert_eq!(rules.len(), 5);
        rules.iter().all(|rule| rule["health"] == "ok")
    });
    let alerts = prometheus.ask("alerts", &[]);
    assert_eq!(alerts["alerts"], Value::Array(Vec::new()), "all is well");
}

fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    let folder = root().join("deploy/metrics");
    let done = fed(
        command.args(arguments).current_dir(Path::new(&folder)),
        input,
    );
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{arguments:?}: {printed}");
}

#[test]
#[ignore = "needs Prometheus: run ./test.sh"]
fn promtool_accepts_the_settings_the_alerts_and_their_tests() {
    promtool(&["check", "config", "prometheus.yml"], "");
    promtool(&["check", "rules", "alerts.yml"], "");
    promtool(&["test", "rules", "alerts_test.yml"], "");
    let tests = file("deploy/metrics/alerts_test.yml");
    let alerts = file("deploy/metrics/alerts.yml");
    let alerts = alerts
        .split("- alert: ")
        .skip(1)
        .map(|rest| rest.lines().next().unwrap());
    for alert in alerts {
        let tests = tests
            .split("eval_time")
            .filter(|it| it.contains(&format!("alertname: {alert}\n")));
        let [fires, silent] = [true, false].map(|fires| {
            tests
                .clone()
                .filter(|it| it.contains("exp_alerts") == fires)
                .count()
        });
        assert!(
            fires > 0 && silent > 0,
            "{alert} has a test in which it fires, and one in which it does not"
        );
    }
}

#[test]
#[ignore = "needs Prometheus: run ./test.sh"]
fn promtool_accepts_the_metrics_and_the_documents_and_files_name_them() {
    let (database, port) = (database::sqlite(), free_port());
    let setting = ("ROCKET_METRICS", &*metrics_at(port));
    let _application = Application::start_with(&database, &[setting]);
    let metrics = get(&format!("http://127.0.0.1:{port}/metrics"));
    promtool(&["check", "metrics"], &metrics);
    let types = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let served: BTreeSet<_> = types.filter_map(|line| line.split_once(' ')).collect();

    let documents = file("src/guide/settings.md") + &file("app/README.md");
    let rows = documents.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((name, rest.split(" |").next()?))
    });
    let kinds = ["counter", "gauge", "histogram"];
    let documented: BTreeSet<_> = rows.filter(|(_, kind)| kinds.contains(kind)).collect();
    assert_eq!(served, documented);

    for name in [
        "alerts.yml",
        "alerts_test.yml",
        "console.html",
        "dashboard.json",
    ] {
        let text = file(&format!("deploy/metrics/{name}"));
        let used = names(&text);
        assert!(!used.is_empty(), "{name}");
        let is_served = |name: &&str| served.iter().any(|(known, _)| known == name);
        let unknown: Vec<_> = used.into_iter().filter(|it| !is_served(it)).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}
