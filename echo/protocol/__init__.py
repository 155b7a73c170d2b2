"""The protocol as a tool for any world model: cases out, answers in, scores, a leaderboard (docs/protocol.md)."""
