//! rustls as a peer: it connects, sends bytes and checks that the same come back, or it echoes what comes.

use rustls::client::{EchConfig, EchGreaseConfig, EchMode, EchStatus};
use rustls::crypto::hpke::Hpke;
use rustls::crypto::{aws_lc_rs, SupportedKxGroup};
use rustls::pki_types::{pem::PemObject, CertificateDer, EchConfigListBytes, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, PeerIncompatible, RootCertStore, ServerConfig, ServerConnection};
use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let mode = args.next().ok_or("client or server")?;
    let mut options = HashMap::new();
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        options.insert(name.trim_start_matches('-').to_string(), value);
    }
    if mode == "client" {
        client(&options)
    } else {
        server(&options)
    }
}

fn provider(options: &HashMap<String, String>) -> Outcome<Arc<rustls::crypto::CryptoProvider>> {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(names) = options.get("groups") {
        let by_name = |name: &str| -> Outcome<&'static dyn SupportedKxGroup> {
            Ok(match name {
                "X25519" => aws_lc_rs::kx_group::X25519,
                "P-256" => aws_lc_rs::kx_group::SECP256R1,
                "P-384" => aws_lc_rs::kx_group::SECP384R1,
                "X25519MLKEM768" => aws_lc_rs::kx_group::X25519MLKEM768,
                _ => return Err(format!("unknown group {name}").into()),
            })
        };
        provider.kx_groups = names.split(':').map(by_name).collect::<Outcome<_>>()?;
    }
    Ok(Arc::new(provider))
}

fn roots(path: &str) -> Outcome<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    Ok(Arc::new(roots))
}

type Own = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn own(options: &HashMap<String, String>) -> Outcome<Option<Own>> {
    let (Some(cert), Some(key)) = (options.get("cert"), options.get("key")) else {
        return Ok(None);
    };
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<_, _>>()?;
    Ok(Some((chain, PrivateKeyDer::from_pem_file(key)?)))
}

fn number(options: &HashMap<String, String>, name: &str, default: usize) -> Outcome<usize> {
    Ok(options.get(name).map(|text| text.parse()).transpose()?.unwrap_or(default))
}

/// The first configuration of the file's ECHCONFIG block that can be used, or a made-up one.
fn ech_mode(options: &HashMap<String, String>, file: Option<&String>) -> Outcome<Option<EchMode>> {
    if options.contains_key("ech-grease") {
        let suite = aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;
        let (key, _) = suite.generate_key_pair()?;
        return Ok(Some(EchGreaseConfig::new(suite, key).into()));
    }
    let Some(file) = file else { return Ok(None) };
    let list = EchConfigListBytes::from_pem_file(file)?;
    Ok(Some(EchConfig::new(list, aws_lc_rs::hpke::ALL_SUPPORTED_SUITES)?.into()))
}

/// With `--ech-retry` the server has another key than that of `--ech`, and says so: its own is that of `--ech-retry`.
fn client(options: &HashMap<String, String>) -> Outcome<()> {
    let Some(retry) = options.get("ech-retry") else {
        return connect(options, options.get("ech"));
    };
    let rejected = connect(options, options.get("ech")).expect_err("it was to be rejected");
    let told = match rejected.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref()?.downcast_ref()) {
        Some(rustls::Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(Some(told)))) => told,
        _ => return Err(rejected),
    };
    // They are no bytes here: the same configuration reads the same.
    let known = format!("{:?}", EchConfig::new(EchConfigListBytes::from_pem_file(retry)?, aws_lc_rs::hpke::ALL_SUPPORTED_SUITES)?);
    if told.len() != 1 || !known.contains(&format!("{:?}", told[0])) {
        return Err("it was told another configuration than the server's".into());
    }
    connect(options, Some(retry))
}

fn connect(options: &HashMap<String, String>, ech: Option<&String>) -> Outcome<()> {
    let builder = ClientConfig::builder_with_provider(provider(options)?);
    let mode = ech_mode(options, ech)?;
    let hides = matches!(mode, Some(EchMode::Enable(_)));
    let builder = match mode {
        Some(mode) => builder.with_ech(mode)?,
        None => builder.with_protocol_versions(&[&rustls::version::TLS13])?,
    }
    .with_root_certificates(roots(options.get("ca").ok_or("--ca")?)?);
    let mut config = match own(options)? {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    let early = options.get("early");
    config.enable_early_data = early.is_some();
    let config = Arc::new(config);
    let connections = number(options, "connections", 1)?;
    for i in 0..connections {
        let mut connection = ClientConnection::new(config.clone(), ServerName::try_from("localhost")?)?;
        let mut socket = TcpStream::connect(("127.0.0.1", number(options, "port", 0)? as u16))?;
        let size = number(options, "bytes", 300)?;
        let mut sent: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
        let mut written = 0;
        if let (Some(text), Some(mut writer)) = (early, connection.early_data()) {
            written = writer.write(text.as_bytes())?;
            sent.splice(0..0, text.bytes());
        }
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(stream.sock)?;
        }
        if hides && stream.conn.ech_status() != EchStatus::Accepted {
            return Err("Encrypted Client Hello was not accepted".into());
        }
        if i > 0 && early.is_some() && !stream.conn.is_early_data_accepted() {
            return Err("the early data was not accepted".into());
        }
        let mut got = Vec::new();
        for part in sent[written..].chunks(4096) {
            stream.write_all(part)?;
            if options.contains_key("key-update") {
                stream.conn.refresh_traffic_keys()?;
            }
            let mut echo = vec![0; part.len() + std::mem::take(&mut written)];
            stream.read_exact(&mut echo)?;
            got.extend(echo);
        }
        if sent != got {
            return Err("another text came back".into());
        }
        say(stream.conn);
        stream.conn.send_close_notify();
        stream.conn.complete_io(stream.sock)?;
    }
    Ok(())
}

fn server(options: &HashMap<String, String>) -> Outcome<()> {
    let provider = provider(options)?;
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = match options.get("ca") {
        Some(ca) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(ca)?, provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let (chain, key) = own(options)?.ok_or("--cert and --key")?;
    let mut config = builder.with_single_cert(chain, key)?;
    config.max_early_data_size = number(options, "early", 0)? as u32;
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    let update = options.contains_key("key-update");
    for socket in listener.incoming() {
        let (config, socket) = (config.clone(), socket?);
        std::thread::spawn(move || {
            if let Err(error) = echo(config, socket, update) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn echo(config: Arc<ServerConfig>, mut socket: TcpStream, update: bool) -> Outcome<()> {
    let mut connection = ServerConnection::new(config)?;
    let mut early = Vec::new();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).map(|_| ())?;
        if let Some(mut reader) = connection.early_data() {
            reader.read_to_end(&mut early)?;
        }
    }
    say(&connection);
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    stream.write_all(&early)?;
    let mut buffer = [0; 16384];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            stream.conn.send_close_notify();
            stream.conn.complete_io(stream.sock)?;
            return Ok(());
        }
        if update {
            stream.conn.refresh_traffic_keys()?;
        }
        stream.write_all(&buffer[..length])?;
    }
}

fn say<Data>(connection: &rustls::ConnectionCommon<Data>) {
    println!(
        "{:?} {:?} {:?} certificates: {}",
        connection.protocol_version(),
        connection.handshake_kind(),
        connection.negotiated_key_exchange_group().map(|group| group.name()),
        connection.peer_certificates().map_or(0, |chain| chain.len()),
    );
}
