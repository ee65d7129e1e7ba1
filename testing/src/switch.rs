//! Forwards connections to one of several servers, as a virtual address does after a failover.

use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

/// Listens on a port of its own for as long as the process lives.
pub struct Switch {
    pub port: u16,
    target: Arc<AtomicU16>,
}

impl Switch {
    /// Forwards to this port of 127.0.0.1.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(target));
        let switch = Self { port, target };
        let target = switch.target.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let target = target.load(Ordering::SeqCst);
                if let Ok(server) = TcpStream::connect(("127.0.0.1", target)) {
                    forward(&client, &server);
                    forward(&server, &client);
                }
            }
        });
        switch
    }

    /// Forwards new connections there; those that exist stay where they are.
    pub fn move_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
    }
}

fn forward(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let _ = copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
