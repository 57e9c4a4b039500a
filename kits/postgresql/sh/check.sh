look
probe
verdict
