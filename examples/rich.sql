-- Days on which implied volatility was dear against its last two years, and above its 20-day mean.
-- `:symbol` stands for each symbol in turn, so a decision about one symbol asks about that one only.
SELECT symbol, date, atm_iv, iv_percentile_504, iv_vs_ma20
FROM iv_metrics
WHERE symbol = :symbol AND iv_percentile_504 > 90 AND iv_vs_ma20 > 0
