"""The review page, for operators: what came in, and whether it goes on the map."""

import streamlit as st

from ui import review_steps
from ui.words import words

say = words()
st.title(say("review.title"))
if review_steps.entrance(say):
    batch = review_steps.queue(say)
    if batch is not None:
        review_steps.show_batch(say, batch)
        review_steps.decide(say, batch)
    review_steps.same_places(say)
    review_steps.ledger(say)
