//! The clients of the small protocols: time and work.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use palco_client::{Error, LINE_BYTES_MAX, time, work};

use crate::server::{TICKET, close, expect, open, send_slowly, serve};

#[test]
fn binary_time_is_read_from_a_server_that_speaks_first() {
    let moment = serve(
        |mut stream| send_slowly(&mut stream, &2_398_291_200_u32.to_be_bytes()),
        |address| time::read_rfc868(&mut open(address)).unwrap(),
    );
    // 00:00 1 Jan 1976 GMT, as RFC 868 lists it
    assert_eq!(moment, UNIX_EPOCH + Duration::from_secs(189_302_400));
}

#[test]
fn three_bytes_are_no_time() {
    let error = serve(
        |mut stream| {
            stream.write_all(&[1, 2, 3]).unwrap();
            close(stream);
        },
        |address| time::read_rfc868(&mut open(address)).unwrap_err(),
    );
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
}

#[test]
fn daytime_is_a_line_or_what_came_before_the_end() {
    for answer in ["Tuesday, February 22, 1982 17:37:43-PST\r\n", "22 FEB 1982 17:37:43 PST"] {
        let line = serve(
            move |mut stream| send_slowly(&mut stream, answer.as_bytes()),
            |address| time::read_daytime(&mut open(address)).unwrap(),
        );
        assert_eq!(line, answer.trim_end());
    }
}

#[test]
fn a_line_of_work_has_one_line_of_answer() {
    serve(
        |mut stream| {
            expect(&mut stream, b"cpu 10\n");
            send_slowly(&mut stream, b"ok cpu 10 us took 11 us\n");
            expect(&mut stream, b"nap\n");
            send_slowly(&mut stream, b"error: unknown verb\r\n");
        },
        |address| {
            let mut connection = open(address);
            let done = work::call(&mut connection, "cpu 10").unwrap();
            assert_eq!(done, "ok cpu 10 us took 11 us");
            assert_eq!(work::call(&mut connection, "nap").unwrap(), "error: unknown verb");
        },
    );
}

#[test]
fn numbered_lines_come_before_the_answer_of_count() {
    serve(
        |mut stream| {
            expect(&mut stream, b"count 3\n");
            send_slowly(&mut stream, b"1\n2\n3\nok count 3 took 9 us\n");
            expect(&mut stream, b"count 9\n");
            stream.write_all(b"1\n2\nerror: the call was interrupted\n").unwrap();
        },
        |address| {
            let mut connection = open(address);
            let done = work::call(&mut connection, "count 3").unwrap();
            assert_eq!(done, "ok count 3 took 9 us");
            let done = work::call(&mut connection, "count 9").unwrap();
            assert_eq!(done, "error: the call was interrupted");
        },
    );
}

#[test]
fn a_ticket_of_work_is_a_line() {
    serve(
        |mut stream| {
            expect(&mut stream, b"ticket\n");
            send_slowly(&mut stream, format!("ok ticket {TICKET}\n").as_bytes());
            expect(&mut stream, b"ticket\n");
            send_slowly(&mut stream, b"error: this server has no urgent port\n");
            expect(&mut stream, b"help\n");
            send_slowly(&mut stream, b"ok help\n");
        },
        |address| {
            let mut connection = open(address);
            assert_eq!(work::ticket(&mut connection).unwrap().to_string(), TICKET);
            let error = work::ticket(&mut connection).unwrap_err();
            assert!(matches!(error, Error::NoTicket { .. }), "{error:?}");
            assert!(error.to_string().contains("no urgent port"), "{error}");
            assert_eq!(work::call(&mut connection, "help").unwrap(), "ok help");
        },
    );
}

#[test]
fn two_lines_of_work_are_not_sent_as_one() {
    serve(
        |mut stream| expect(&mut stream, b"help\n"),
        |address| {
            let mut connection = open(address);
            let error = work::call(&mut connection, "help\nhelp").unwrap_err();
            assert!(matches!(error, Error::Request(_)), "{error:?}");
            // Nothing was sent, so the connection is as good as before; this server just does not answer.
            let error = work::call(&mut connection, "help").unwrap_err();
            assert!(matches!(error, Error::Closed { .. }), "{error:?}");
        },
    );
}

#[test]
fn a_line_that_never_ends_is_too_large() {
    let error = serve(
        |mut stream| while stream.write_all(&[b'a'; 4096]).is_ok() {},
        |address| work::call(&mut open(address), "help").unwrap_err(),
    );
    assert!(matches!(error, Error::TooLarge { limit: LINE_BYTES_MAX, .. }), "{error:?}");
    assert!(error.to_string().contains("bytes in a line"), "{error}");
}
