-- Days on which options were dear: implied volatility above the historical one.
SELECT iv.symbol, iv.date, iv.atm_iv, hv.hv20, iv.atm_iv - hv.hv20 AS premium
FROM iv JOIN hv USING (symbol, date)
-- Naming :symbol keeps it symbol by symbol: a change of one computes one again.
WHERE iv.symbol = :symbol AND iv.atm_iv > hv.hv20
