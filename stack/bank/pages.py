"""The 3-D Secure page: plain HTML, no script, one style sheet, and a way back to one merchant only."""

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from stack.bank.messages import Charge

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title - Demo Bank</title>
<link rel="stylesheet" href="/bank.css">
</head>
<body>
<main>
<p class="bank">Demo Bank</p>
<h1>$title</h1>
$content
<p class="note">This bank is a demonstration. No real money moves.</p>
</main>
</body>
</html>
""")

PAYMENT = Template("""<dl>
<div><dt>Amount</dt><dd class="amount">$amount</dd></div>
<div><dt>Order</dt><dd>$reference</dd></div>
<div><dt>Card</dt><dd>$brand ending in $last4</dd></div>
</dl>
""")

QUESTION = """<p>The shop asks your bank to make sure that it is you who is paying.</p>
<form method="post">
<button name="result" value="approved" class="primary">Approve payment</button>
<button name="result" value="failed">Fail authentication</button>
<button name="result" value="cancelled">Cancel</button>
</form>
"""

ANSWERED = Template("""<p>You have answered already. There is nothing left to do here.</p>
<p><a href="$return_url">Back to the shop</a></p>
""")

STYLE = Path(__file__).with_name("bank.css").read_bytes()


def headers(*, charge: Charge) -> dict[str, str]:
    """Return the headers of the page: its form may post here and be sent on to `charge`'s merchant only."""
    merchant = _origin(charge.return_url)
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {merchant}",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def authentication(*, charge: Charge) -> bytes:
    """Return the page that asks the card holder, or says that nothing is left to answer."""
    waiting = charge.status == "requires_action" and charge.authentication is None
    title = "Confirm your payment" if waiting else "Payment already answered"
    action = QUESTION if waiting else ANSWERED.substitute(return_url=escape(charge.return_url))
    return PAGE.substitute(title=title, content=_payment(charge) + action).encode()


def _payment(charge: Charge) -> str:
    return PAYMENT.substitute(
        amount=f"{charge.amount // 100:,}.{charge.amount % 100:02} {charge.currency}",
        reference=escape(charge.reference),
        brand=escape(charge.brand.title()),
        last4=escape(charge.last4),
    )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
