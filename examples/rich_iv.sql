-- Days on which options were dear: implied volatility above that of the last 20 sessions.
SELECT symbol, date, atm_iv, iv_vs_hv20 AS premium
-- A projection that the program brings: it may be built upon like a view.
FROM iv_hv
-- Naming :symbol keeps it symbol by symbol: a change of one computes only that one again.
WHERE symbol = :symbol AND iv_hv20_ratio > 1.0
