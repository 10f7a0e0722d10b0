//! What the keys of a mapping file mean, for whoever writes one.

/// Comments above a mapping that is printed as a file to start from.
pub(super) const KEYS: &str = "\
# A mapping: which column of a CSV file means which field. Change the id: batches are known by it.
# Try it with `volledger check FILE --mapping ./this.toml`, then import with the same `--mapping`.
#
# id           a name of your own: small letters, digits, - and _
# version      a number; raise it when you change how a file is read
# series       what a row is a record of: iv, hv, spot, index, earnings, moves or straddles
# description  one sentence
# decimal      \"point\", \"comma\", or \"auto\" (usual: decided by each cell)
# known        names of columns that are left out without a remark
#
# [date]       names = the column of the day, with its synonyms; capitals do not matter, and a time
#              behind the day has to be midnight
#   order      \"dmy\" or \"mdy\" for 03/04/2024, or \"auto\" (usual: decided by the file)
#   future     true where days to come are what the file is about
# [symbol]     names = the column of the symbol, for `--symbol-from column`
# [item]       names = a second date that tells the records of one day apart
# [class]      iv, hv, spot, index, earnings: \"vendor\" (usual) or \"fill\", which only fills holes
#
# [[column]]   once for each column that is read
#   names      its name and synonyms
#   own_name   true where it may also be called as the symbol is: VVIX
#   field      what it means, one of the fields below; those of other series are read as well
#   unit       of the cells: \"percent\" (24.11 is 0.2411), \"fraction\" (0.2411), \"number\", \"integer\"
#              (of shares with parts of one), \"flag\" (yes or no), \"word\" or \"day\"
#   need       \"required\", \"one_of\" (one of several such columns), or \"optional\" (usual)
#   quiet      true where nothing is to be said of a file without it
#   signed     true where numbers below 0 are meant
#   above, at_least, at_most   bounds, as \"0\"; beyond them a row is rejected (usual: at_least 0)
#   suspect_below              below this a row is rejected as one in another unit
#   high_from                  from this on the number is used, with a remark
#   mostly_from, mostly_below  where most numbers are not, the column seems to be in another unit
#              (of volatilities without any bound: 2 in percent, else 3; of moves: 1)
#   code       the word that its findings have: missing_CODE
#   one_of     the words that may stand there
#   default    what an empty cell means, and one that cannot be read
# [column.words]  what other words of the cell mean
# [[part]]     a further day of the same row: date = its names, and [[part.column]] as above
#
";
