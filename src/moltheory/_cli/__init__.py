"""The parts of the command line: options, names, texts and consoles; parsing and printing only."""
