"""The upload page: from somebody's file to a pending batch, with a receipt; and back again."""

import streamlit as st

from ui import receipt, upload_steps
from ui.words import words

say = words()
st.title(say("upload.title"))
st.markdown(say("upload.lead"))
topic, practice = upload_steps.choose(say)

receipt.say_undone(say)
if not receipt.show_receipt(say):
    upload = upload_steps.pick(say, topic, practice)
    if upload and upload.reading:
        upload_steps.understood(say, upload.reading)
        upload_steps.questions(say, upload)
        upload_steps.preview(say, topic, upload.reading)
        upload_steps.problems(say, upload.reading)
        upload_steps.send(say, upload)

receipt.undo(say)
receipt.templates(say, topic)
