//! Uses the settings of `deploy/README.md` as the whole `Rocket.toml`.

use std::fs;
use std::process::Command;

use testing::accounts::{EMAIL, register};
use testing::database;
use testing::server::{Server, built, free_port};
use testing::visitor::Visitor;

const README: &str = include_str!("../../../deploy/README.md");

#[test]
fn the_settings_are_complete_as_they_are_written() {
    let (_, block) = README.split_once("```toml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Rocket.toml"), block).unwrap();
    let (database, port) = (database::sqlite(), free_port());
    let databases = format!("{{app={{url={:?}}}}}", database.url);
    let mut command = Command::new(built("rocket_diesel_session"));
    command
        .current_dir(folder.path())
        .env("ROCKET_PROFILE", "prod")
        .env("ROCKET_DATABASES", databases)
        .env("ROCKET_SESSION", r#"{client_address="full"}"#)
        .env("ROCKET_PORT", port.to_string());
    let variables = command.get_envs();
    let variables = variables.map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()));
    let variables: Vec<_> = variables.collect();
    let server = Server::start(&mut command, port);
    let forwarded = ("X-Forwarded-For", "192.0.2.1");
    let forwarded = (forwarded.0.parse().unwrap(), forwarded.1.parse().unwrap());
    let visitor = Visitor::new(&server.base, [forwarded].into_iter().collect());
    let registered = register(&visitor, EMAIL, &[]);
    assert!(
        registered.set_cookie("__Host-id").is_some(),
        "{registered:?}"
    );
    let named = README.split("`rocket_diesel_session ").skip(1);
    let named = named.map(|rest| rest.split('`').next().unwrap());
    assert_eq!(named.clone().count(), 4);
    for arguments in named {
        let done = Command::new(built("rocket_diesel_session"))
            .args(arguments.split(' '))
            .current_dir(folder.path())
            .envs(variables.iter().cloned())
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments}: {done:?}");
    }
    let ips = database.lines("SELECT ip AS line FROM sessions");
    assert_eq!(ips, ["192.0.2.1"]);
}
