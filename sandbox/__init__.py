"""Local stand-ins for Resend, Twilio, OpenAI, LinkedIn, X and Facebook, speaking their HTTP; stands alone."""
