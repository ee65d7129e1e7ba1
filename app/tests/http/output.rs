//! Blocks the outputs of the application.

use std::fs::File;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use testing::database;
use testing::server::{Server, free_port};

use crate::command_line::program::command;

/// At the level normal, Rocket writes several lines per request.
const REQUESTS: u32 = 10_000;
const CLIENTS: u32 = 8;

fn get(base: &str, requests: u32) {
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let client = reqwest::blocking::Client::new();
                for _ in 0..requests / CLIENTS {
                    let login = client.get(format!("{base}/login"));
                    let login = login.timeout(Duration::from_secs(20)).send().unwrap();
                    assert_eq!(login.status(), 200);
                }
            });
        }
    });
}

#[test]
fn an_unread_output_blocks_no_request_and_drops_whole_lines() {
    let database = database::sqlite();
    let (port, mut pipes) = (free_port(), Vec::new());
    let mut command = command(&database.url, &[], &[("ROCKET_CLI_COLORS", "false")]);
    command.env("ROCKET_PORT", port.to_string());
    for output in 0..2 {
        let (reader, writer) = std::io::pipe().unwrap();
        pipes.push(reader);
        match output {
            0 => command.stdout(writer),
            _ => command.stderr(writer),
        };
    }
    let server = Server::start(&mut command, port);
    drop(command);
    get(&server.base, REQUESTS);

    let [mut stdout, _stderr]: [_; 2] = pipes.try_into().unwrap();
    let reader = thread::spawn(move || {
        let mut output = String::new();
        stdout.read_to_string(&mut output).unwrap();
        output
    });
    // New lines reach the reader; earlier ones were dropped.
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        get(&server.base, CLIENTS);
    }
    server.signal("-TERM");
    let mut server = server;
    server.wait();
    let output = reader.join().unwrap();
    let dropped = output
        .lines()
        .find_map(|line| line.strip_prefix("{\"event\":\"lines_dropped\",\"dropped\":"));
    let dropped: u32 = dropped.unwrap().strip_suffix('}').unwrap().parse().unwrap();
    assert!(dropped > 1_000, "{dropped}");
    let answers = output.lines().filter(|line| line.contains("Outcome:"));
    for line in answers {
        assert!(line.ends_with("Outcome: Success(200 OK)"), "{line}");
    }
}

#[test]
fn outputs_on_a_full_disk_lose_no_request() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let (database, port) = (database::sqlite(), free_port());
    let mut command = command(&database.url, &[], &[("ROCKET_PORT", &port.to_string())]);
    let server = Server::start(command.stdout(full()).stderr(full()), port);
    get(&server.base, 10 * CLIENTS);
}
