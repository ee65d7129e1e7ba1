//! Sends raw requests, as slowly as a test wants, from any address of this machine.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rocket::tokio::net::TcpSocket;
use rocket::tokio::runtime::Builder;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use testing::secrets;

/// The address of most clients.
pub const HERE: [u8; 4] = [127, 0, 0, 1];

/// Connects from a loopback address, of which 127.0.0.0/8 has many.
pub fn connect(port: u16, from: [u8; 4]) -> io::Result<TcpStream> {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        socket
            .connect(SocketAddr::from((HERE, port)))
            .await?
            .into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

/// Trusts only one authority, and offers these protocols.
pub fn trusting(authority: &Path, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(authority).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    Arc::new(config)
}

pub type Encrypted = StreamOwned<ClientConnection, TcpStream>;

/// Completes the TLS handshake, or returns the reason of its failure.
pub fn encrypt(config: Arc<ClientConfig>, mut stream: TcpStream) -> io::Result<Encrypted> {
    let name = "example.org".try_into().unwrap();
    let mut connection = ClientConnection::new(config, name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// Returns a request as browsers write it; `headers` are whole lines.
pub fn request(method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: example.org\r\n");
    for header in headers {
        write!(text, "{header}\r\n").unwrap();
    }
    if method != "GET" {
        let form = "Content-Type: application/x-www-form-urlencoded";
        write!(text, "{form}\r\nContent-Length: {}\r\n", body.len()).unwrap();
    }
    text + "\r\n" + body
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Lines without their ends.
    pub headers: Vec<String>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        values.next()
    }

    /// Returns the values of the `Set-Cookie` lines.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case("Set-Cookie").then_some(value)
        })
    }
}

/// Reads one response, and leaves the connection ready for the next.
pub fn read(stream: &mut impl Read) -> Option<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines().map(str::to_owned);
    let first = lines.next().unwrap();
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer {
        status,
        headers: lines.filter(|line| !line.is_empty()).collect(),
        body: String::new(),
    };
    let length = answer
        .header("Content-Length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    answer.body = String::from_utf8(body).unwrap();
    secrets::note_csrf_tokens(&answer.body);
    answer.cookies().for_each(secrets::note_cookie);
    Some(answer)
}

/// Sends a request and reads its response; `None` if the connection ends instead.
pub fn ask(stream: &mut (impl Read + Write), request: &str) -> Option<Answer> {
    stream.write_all(request.as_bytes()).ok()?;
    stream.flush().ok()?;
    read(stream)
}
