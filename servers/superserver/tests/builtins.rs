//! The services that the superserver serves itself, over real sockets.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palco_superserver::Builtin;
use palco_superserver::builtins::Traffic;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};

const SHORT: Option<Duration> = Some(Duration::from_millis(20));

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// Serves one client, which does as it is told.
async fn serve<C, T>(
    builtin: Builtin,
    idle: Option<Duration>,
    client: C,
) -> (io::Result<Traffic>, T)
where
    C: AsyncFnOnce(TcpStream) -> T,
{
    let (stream, served) = pair().await;
    tokio::join!(builtin.serve_stream(served, idle), client(stream))
}

#[tokio::test]
async fn echo_returns_megabytes_to_a_client_that_half_closes() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let expected = bytes.clone();
    let (traffic, echoed) = serve(Builtin::Echo, None, async move |stream| {
        let (mut from, mut to) = stream.into_split();
        let mut echoed = Vec::new();
        let send = async {
            to.write_all(&bytes).await.unwrap();
            to.shutdown().await.unwrap();
        };
        tokio::join!(send, async { from.read_to_end(&mut echoed).await.unwrap() });
        echoed
    })
    .await;
    assert!(echoed == expected);
    assert_eq!(traffic.unwrap(), Traffic { received: 3_000_000, sent: 3_000_000 });
}

#[tokio::test]
async fn echo_reads_no_more_than_it_can_return() {
    let (mut client, served) = duplex(1024);
    let chunk = vec![7; 4 * 1024 * 1024];
    let (traffic, sent) = tokio::join!(Builtin::Echo.serve_stream(served, SHORT), async {
        // Nothing is taken back, so that the service gives up.
        let mut sent = 0;
        while let Ok(taken @ 1..) = client.write(&chunk[sent..]).await {
            sent += taken;
        }
        sent
    });
    assert!(sent < 64 * 1024, "{sent}");
    assert!(traffic.unwrap().sent <= 1024);
}

#[tokio::test]
async fn discard_takes_everything_and_says_nothing() {
    let (traffic, answer) = serve(Builtin::Discard, None, async |mut stream| {
        stream.write_all(&[1; 100_000]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    })
    .await;
    assert_eq!(answer, b"");
    assert_eq!(traffic.unwrap(), Traffic { received: 100_000, sent: 0 });
}

async fn told(builtin: Builtin) -> Vec<u8> {
    let (traffic, answer) = serve(builtin, None, async |mut stream| {
        // Not asked for: the answer must survive it.
        stream.write_all(b"what time is it?\r\n").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    })
    .await;
    assert_eq!(traffic.unwrap(), Traffic { received: 18, sent: answer.len() as u64 });
    answer
}

#[tokio::test]
async fn time_is_four_bytes_and_daytime_a_line() {
    let seconds =
        || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2_208_988_800;
    let before = seconds();
    let time: [u8; 4] = told(Builtin::Time).await.try_into().unwrap();
    assert!((before..=seconds()).contains(&u64::from(u32::from_be_bytes(time))));
    let line = String::from_utf8(told(Builtin::Daytime).await).unwrap();
    assert!(line.ends_with("-UTC\r\n") && line.matches("\r\n").count() == 1, "{line}");
}

#[tokio::test]
async fn chargen_turns_its_lines_and_stops_when_the_client_closes() {
    let (traffic, lines) = serve(Builtin::Chargen, None, async |mut stream| {
        // A client that sends, finishes sending and still listens.
        stream.write_all(b"go on").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut text = vec![0; 74 * 200];
        stream.read_exact(&mut text).await.unwrap();
        String::from_utf8(text).unwrap()
    })
    .await;
    let lines: Vec<&str> = lines.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 200);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line.len(), 72);
        assert_eq!(usize::from(line.as_bytes()[0]), 32 + number % 95);
        assert_eq!(
            line[1..],
            lines.get(number + 1).map_or(line[1..].to_owned(), |next| next[..71].to_owned())
        );
    }
    let traffic = traffic.unwrap();
    assert!(traffic.sent >= 74 * 200 && traffic.received <= 5, "{traffic:?}");
}

#[tokio::test]
async fn chargen_takes_what_a_client_sends_that_takes_nothing() {
    let (mut client, served) = duplex(1024);
    let (traffic, ()) = tokio::join!(Builtin::Chargen.serve_stream(served, None), async move {
        client.write_all(&[1; 100_000]).await.unwrap();
    });
    assert_eq!(traffic.unwrap(), Traffic { received: 100_000, sent: 1024 });
}

#[tokio::test]
async fn who_is_idle_is_given_up() {
    for builtin in [Builtin::Echo, Builtin::Discard, Builtin::Chargen] {
        // Neither sends nor takes.
        let (client, served) = duplex(1024);
        builtin.serve_stream(served, SHORT).await.unwrap();
        drop(client);
    }
}

#[tokio::test]
async fn redirection_is_the_other_service_with_half_close() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let redirect = Builtin::Redirect(target.local_addr().unwrap().to_string());
    let far = async {
        let (mut stream, _) = target.accept().await.unwrap();
        let mut request = Vec::new();
        // All of it, until the client has finished.
        stream.read_to_end(&mut request).await.unwrap();
        stream.write_all(&request.repeat(2)).await.unwrap();
    };
    let near = serve(redirect, Some(Duration::from_secs(60)), async |stream| {
        let (mut from, mut to) = stream.into_split();
        to.write_all(&[9; 500_000]).await.unwrap();
        to.shutdown().await.unwrap();
        let mut answer = Vec::new();
        from.read_to_end(&mut answer).await.unwrap();
        answer
    });
    let ((traffic, answer), ()) = tokio::join!(near, far);
    assert!(answer == vec![9; 1_000_000]);
    assert_eq!(traffic.unwrap(), Traffic { received: 500_000, sent: 1_000_000 });
}

#[tokio::test]
async fn what_cannot_be_served_says_why() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (refused, ()) = serve(Builtin::Redirect(unused.to_string()), None, async |_| ()).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(refused.to_string().contains(&unused.to_string()), "{refused}");
    let (mux, ()) = serve(Builtin::Tcpmux, None, async |_| ()).await;
    assert_eq!(mux.unwrap_err().kind(), ErrorKind::Unsupported);
}
