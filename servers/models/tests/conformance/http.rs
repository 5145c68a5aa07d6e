//! Just enough HTTP to read a test's answers.

/// Every response as `status content|`; a page made by the server is `page`. What is no response stays as it is.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let mut plain = String::new();
    let mut rest = bytes;
    while let Some((status, content, after)) = response(rest) {
        let content = match content {
            [b'<', b'!', ..] => "page".into(),
            content => String::from_utf8_lossy(content),
        };
        plain.push_str(&format!("{status} {content}|"));
        rest = after;
    }
    plain + &String::from_utf8_lossy(rest)
}

/// Status, content, and what follows the first response, if that is complete.
pub(crate) fn response(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("Content-Length: "))?.parse().ok()?;
    let (content, after) = bytes[end..].split_at_checked(length)?;
    Some((status, content, after))
}
