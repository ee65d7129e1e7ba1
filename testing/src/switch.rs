//! Forwards connections to one of several servers, as a virtual address does after a failover.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

/// Listens on a free port as long as the process lives.
pub struct Switch {
    pub port: u16,
    target: Arc<AtomicU16>,
    hangs: Arc<AtomicBool>,
    refuses: Arc<AtomicBool>,
}

impl Switch {
    /// Forwards to this port of 127.0.0.1.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(target));
        let hangs = Arc::new(AtomicBool::new(false));
        let switch = Self {
            port,
            target,
            hangs,
            refuses: Arc::default(),
        };
        let (target, hangs) = (switch.target.clone(), switch.hangs.clone());
        let refuses = switch.refuses.clone();
        thread::spawn(move || {
            let (mut listener, mut clients) = (listener, Vec::<TcpStream>::new());
            loop {
                let client = listener.accept();
                if refuses.load(Ordering::SeqCst) {
                    drop((listener, client));
                    for client in clients.drain(..) {
                        let _ = client.shutdown(Shutdown::Both);
                    }
                    while refuses.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(5));
                    }
                    listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
                    continue;
                }
                let target = target.load(Ordering::SeqCst);
                if let (Ok((client, _)), Ok(server)) =
                    (client, TcpStream::connect(("127.0.0.1", target)))
                {
                    forward(&client, &server, &hangs);
                    forward(&server, &client, &hangs);
                    clients.push(client);
                }
            }
        });
        switch
    }

    /// Forwards new connections there; those that exist stay where they are.
    pub fn move_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
    }

    /// Closes all connections and the port while `refuses`.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }

    /// Forwards nothing while `hangs`, and keeps each connection.
    pub fn hang(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }
}

/// What hangs would keep its locks, for which the end of a test would wait.
impl Drop for Switch {
    fn drop(&mut self) {
        self.hang(false);
    }
}

fn forward(from: &TcpStream, to: &TcpStream, hangs: &Arc<AtomicBool>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let hangs = hangs.clone();
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            while hangs.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
