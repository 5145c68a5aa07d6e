//! What is sent again, and what becomes of its answers.

use palco_files::sftp::wire::{Attributes, OpenFlags, take};

use super::*;

fn packet(request: &Request, id: u32) -> Bytes {
    let mut bytes = BytesMut::new();
    request.encode(id, &mut bytes);
    take(&mut bytes).unwrap().unwrap()
}

fn reply(reply: &Reply, id: u32) -> Bytes {
    let mut bytes = BytesMut::new();
    reply.encode(id, &mut bytes);
    take(&mut bytes).unwrap().unwrap()
}

fn refusal(code: Code, text: &str, id: u32) -> Bytes {
    reply(&Reply::Status { code, text: text.to_owned() }, id)
}

/// The code that a client gets.
fn code(queue: &mut Queue, answer: Bytes) -> Code {
    let mut answer = BytesMut::from(&queue.answer(answer)[..]);
    match Reply::decode(take(&mut answer).unwrap().unwrap()).unwrap() {
        (_, Reply::Status { code, .. }) => code,
        other => panic!("no status: {other:?}"),
    }
}

#[test]
fn what_has_no_answer_is_sent_again_in_its_order() {
    let mut queue = Queue::default();
    let packets: Vec<_> = (1..5)
        .map(|id| packet(&Request::Read { handle: "h".into(), offset: 9, length: 9 }, id))
        .collect();
    for packet in &packets {
        queue.push(packet.clone());
    }
    let sent: Vec<_> = (0..3).map(|_| queue.next().unwrap()).collect();
    assert_eq!(sent, packets[..3]);
    assert_eq!(code(&mut queue, refusal(Code::Eof, "", 2)), Code::Eof);
    assert!(queue.again().is_empty());
    let again: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
    assert_eq!(again, [&packets[0], &packets[2], &packets[3]].map(Clone::clone));
    assert_eq!(queue.len(), 3);
}

#[test]
fn the_second_answer_is_that_of_the_first_where_it_can_be_told() {
    let path = || Bytes::from("a");
    let make = Request::MakeDirectory { path: path(), attributes: Attributes::default() };
    let over = Extension::RenameOver { from: path(), to: "b".into() }.request();
    for (request, refused, text) in [
        (Request::Remove { path: path() }, Code::NoSuchFile, "none"),
        (Request::RemoveDirectory { path: path() }, Code::NoSuchFile, "none"),
        (Request::Rename { from: path(), to: "b".into() }, Code::NoSuchFile, "none"),
        (over, Code::NoSuchFile, "none"),
        (make, Code::Failure, "File exists"),
        (Request::Close { handle: "h".into() }, Code::Failure, "no such handle"),
    ] {
        let mut queue = Queue::default();
        queue.push(packet(&request, 7));
        queue.next().unwrap();
        assert_eq!(code(&mut queue, refusal(refused, text, 7)), refused, "the first is the first");
        queue.push(packet(&request, 8));
        queue.next().unwrap();
        queue.again();
        queue.next().unwrap();
        assert_eq!(code(&mut queue, refusal(refused, text, 8)), Code::Ok, "{request:?}");
        // One that had not been sent when the connection was lost is a first attempt.
        queue.push(packet(&request, 9));
        queue.again();
        queue.next().unwrap();
        assert_eq!(code(&mut queue, refusal(refused, text, 9)), refused, "{request:?}");
    }
}

#[test]
fn appends_are_not_sent_twice() {
    let mut queue = Queue::default();
    let flags = OpenFlags { write: true, append: true, ..OpenFlags::default() };
    let attributes = Attributes::default();
    for (id, flags) in [(1, flags), (2, OpenFlags::READ)] {
        queue.push(packet(&Request::Open { path: "a".into(), flags, attributes }, id));
        queue.next().unwrap();
        queue.answer(reply(&Reply::Handle(vec![id as u8; 16].into()), id));
    }
    let write = |handle: u8| Request::Write {
        handle: vec![handle; 16].into(),
        offset: 0,
        data: "x".into(),
    };
    queue.push(packet(&write(1), 3));
    queue.push(packet(&write(2), 4));
    queue.next().unwrap();
    queue.next().unwrap();
    queue.push(packet(&write(1), 5));
    let answers = queue.again();
    assert_eq!(answers.len(), 1);
    let sent: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
    assert_eq!(sent, [packet(&write(2), 4), packet(&write(1), 5)]);
}

#[test]
fn so_much_may_wait_and_no_more() {
    let mut queue = Queue::default();
    let write = Request::Write { handle: "h".into(), offset: 0, data: vec![0; 100_000].into() };
    while !queue.is_full() {
        queue.push(packet(&write, 1));
    }
    assert!(queue.bytes < BYTES_MAX + 200_000);
    assert!(whole(b"abc")[..] == [0, 0, 0, 3, b'a', b'b', b'c']);
}
