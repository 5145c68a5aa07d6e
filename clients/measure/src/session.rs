//! A run: subjects in turns, round by round, judged and summed up.
