"""The pages about policies: what is in force and since when, each rule read aloud, changes that two persons make, and backtests."""
