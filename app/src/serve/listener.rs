//! Finds the server's sockets, since Rocket does not expose them.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::net::sockopt::socket_acceptconn;
use rustix::net::{Shutdown, getpeername, getsockname, shutdown};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Refuses new connections at a port.
pub(crate) fn close(port: u16) -> io::Result<()> {
    for socket in sockets(port)? {
        if socket_acceptconn(&socket)? {
            shutdown(&socket, Shutdown::Read)?;
        }
    }
    Ok(())
}

/// Counts the connections at a port whose listener is closed.
pub(crate) fn connections(port: u16) -> io::Result<usize> {
    let sockets = sockets(port)?;
    let connected = |socket: &&OwnedFd| getpeername(*socket).is_ok();
    Ok(sockets.iter().filter(connected).count())
}

/// Returns each socket of this process at a port.
fn sockets(port: u16) -> io::Result<Vec<OwnedFd>> {
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        let Some(fd) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // The descriptor may be closed by now.
        let Ok(copy) = pidfd_getfd(&this, fd, PidfdGetfdFlags::empty()) else {
            continue;
        };
        let address = getsockname(&copy).ok();
        let address = address.and_then(|address| SocketAddr::try_from(address).ok());
        if address.is_some_and(|address| address.port() == port) {
            found.push(copy);
        }
    }
    Ok(found)
}
