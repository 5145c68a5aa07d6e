//! Pages lead somewhere, have one title, and their examples compile.

use std::collections::BTreeSet;

use crate::tree::{File, Finding};

/// The Markdown that people read.
pub(crate) fn is_page(file: &File) -> bool {
    file.path == "README.md" || (file.path.starts_with("docs/") && file.path.ends_with(".md"))
}

/// Links to files of the repository lead to a file or folder; `paths` are all files.
pub(crate) fn check_links(page: &File, paths: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in prose(&page.text) {
        for target in targets(&line) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !resolve(&page.path, path).is_some_and(|path| exists(&path, paths)) {
                let advice =
                    format!("`{target}` leads nowhere: mend the path, it counts from this page");
                findings.push(Finding::new(&page.path, number, advice));
            }
        }
    }
    findings
}

/// Exactly one `# ` title.
pub(crate) fn check_title(page: &File) -> Vec<Finding> {
    let is_title = |line: &String| line.starts_with("# ");
    let titles: Vec<usize> =
        prose(&page.text).filter(|(_, line)| is_title(line)).map(|(number, _)| number).collect();
    match titles.as_slice() {
        [_] => Vec::new(),
        [] => vec![Finding::new(&page.path, 1, "begin with a title: `# …`")],
        [_, more @ ..] => more
            .iter()
            .map(|line| Finding::new(&page.path, *line, "one title a page: use `## …`"))
            .collect(),
    }
}

/// The README and the pages directly in `docs` are doctests of the library.
pub(crate) fn check_compiled(page: &File, library: &str) -> Vec<Finding> {
    let from_docs = match page.path.strip_prefix("docs/") {
        Some(below) if below.contains('/') => return Vec::new(),
        Some(page) => page.to_owned(),
        None => format!("../{}", page.path),
    };
    let item = format!("#[doc = include_str!(\"{from_docs}\")]");
    if library.lines().any(|line| line == item) {
        return Vec::new();
    }
    vec![Finding::new(&page.path, 1, format!("compile its examples: add `{item}` to docs/lib.rs"))]
}

/// The lines outside fences, with their numbers, without code spans.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fence: Option<String> = None;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let line = line.trim_start();
        let mark: String = line.chars().take_while(|&c| c == '`' || c == '~').collect();
        match &fence {
            Some(open) if mark.starts_with(open.as_str()) => fence = None,
            Some(_) => {}
            None if mark.len() >= 3 => fence = Some(mark),
            None => {
                return Some((number, line.split('`').step_by(2).collect::<Vec<_>>().join("`")));
            }
        }
        None
    })
}

/// `[text](target "title")`, `[text](<target>)` and `[name]: target`.
fn targets(line: &str) -> Vec<&str> {
    let inline = line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split(')').next());
    let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    let all = inline.chain(definition.map(|(_, target)| target));
    all.filter_map(|target| target.split_whitespace().next())
        .map(|target| target.trim_matches(['<', '>']))
        .collect()
}

/// The path from the root, or `None` if it leaves the repository.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn exists(path: &str, paths: &BTreeSet<&str>) -> bool {
    let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
    paths.contains(path) || paths.iter().any(|file| file.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_objects;

    fn check_at(path: &str, text: &str) -> Vec<Finding> {
        let paths = BTreeSet::from(["README.md", "docs/TOUR.md", "docs/results/0001.md"]);
        check_links(&File::new(path, text), &paths)
    }

    #[test]
    fn links_to_files_folders_and_the_web_are_fine() {
        let text = "[a](TOUR.md#start) [b](results/) [c](../README.md \"t\") ![d](</docs/TOUR.md>)\n\
            [e](https://example.org/x) [f](#here) `[g](gone.md)`\n```text\n[h](gone.md)\n```\n\n[i]: ../\n";
        assert_objects(&check_at("docs/SEMANTICS.md", text), &[]);
    }

    #[test]
    fn objects_to_links_that_lead_nowhere() {
        let text = "[a](docs/TOUR.md)\n[b](gone.md)\n\n```text\n```\n\
            [c](../README.md) [d]( docs/result )\n[e]: TOUR.md\n";
        assert_objects(&check_at("README.md", text), &[2, 6, 6, 7]);
    }

    #[test]
    fn objects_to_no_title_and_to_a_second() {
        let check = |text| check_title(&File::new("docs/TOUR.md", text));
        assert_objects(&check("# One\n\n```sh\n# a comment\n```\n## Two\n"), &[]);
        assert_objects(&check("## Two\n"), &[1]);
        assert_objects(&check("# One\n# Two\n# Three\n"), &[2, 3]);
    }

    #[test]
    fn objects_to_a_page_that_is_not_compiled() {
        let library =
            "#[doc = include_str!(\"TOUR.md\")]\n#[doc = include_str!(\"../README.md\")]\n";
        let check = |path| check_compiled(&File::new(path, "# x\n"), library);
        assert_objects(&check("docs/TOUR.md"), &[]);
        assert_objects(&check("README.md"), &[]);
        assert_objects(&check("docs/results/0001.md"), &[]);
        assert_objects(&check("docs/TESTING.md"), &[1]);
    }
}
