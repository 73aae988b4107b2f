"""Codes that prove a no and share one meaning: refused by a rule that the code names.

They stand beside the rows of verdict_tables.py, which have a meaning of their own. Only the codes
that the exchange's document lists, and that can answer a placement, are here; a range is written as
`first..last`. A code that a later document adds has no row, and is looked up.
"""

from execution.exchanges.verdicts import Row, each, span
from execution.model.order import Verdict

_WHY = "refused by a rule that the code names"
_4XX = range(400, 500)


def _refused(codes: str, status: range | None = None) -> tuple[Row, ...]:
    return each(Verdict.REJECTED, _WHY, *span(codes), status=status)


# binance-spot-api-docs, errors.md: -1010 and -2010 are what the matching engine says, -11xx and
# -12xx what is wrong with a request; all of them are answers of class 4xx.
BINANCE_REFUSED = _refused(
    """
    -1010 -1014 -1020 -1108 -1114 -1118 -1122 -1128 -1130 -1134 -1135 -1145 -1158 -1160 -1165 -1166
    -1168 -1196 -1197 -1198 -1199 -1210 -1211 -1220 -1222 -1223 -1224 -1225 -2016
    """,
    status=_4XX,
)

# bybit-exchange.github.io/docs/v5/error: unified trading account (110xxx), spot trade (170xxx) and
# risk control (30xxx).
BYBIT_REFUSED = _refused(
    """
    30133 30134 30208 30209 30228 30256
    110003 110005 110006 110009 110017..110023 110032 110040 110042 110044 110051..110053 110063
    110066..110070 110074 110080 110088 110090 110092..110095 110098 110103 110118..110121
    110123..110125 110131 110132
    170010 170011 170019 170034 170036 170037 170195 170196 170199..170204 170206 170207 170209
    170215 170216 170219 170220 170223..170226 170230 170241 170341 170344 170346 170348 170355
    170358..170360 170709
    """
)

# www.okx.com/docs-v5/en, error codes of the REST API: general class (50xxx), trade class (51xxx)
# and trading restrictions (54xxx).
OKX_REFUSED = _refused(
    """
    50005 50009 50010 50017..50023 50025 50041 50044 50064 50067 50072
    51002..51004 51007 51012 51014 51017 51023 51026..51037 51044..51053 51056 51100 51101
    51103..51112 51123..51126 51128 51129 51135 51136 51139..51148 51186..51197 51205 51206
    51250..51255 51286 51507
    54005..54049 54072 54073
    """
)
